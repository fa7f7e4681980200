import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { openFolderArtifactStore } from '../../src/adapters/fs/index.ts';
import { predictionLogHere } from '../../src/adapters/duckdb/prediction-log.ts';
import { openSqlite, sqliteSnapshots, storeProxy } from '../../src/adapters/sql/index.ts';
import type { SegmentManifest } from '../../src/monitoring/index.ts';
import { packRows } from '../../src/monitoring/log-rows.ts';
import { openBackup, restoreBackup, saveBackup } from '../../src/upkeep/index.ts';
import { binnacle, startServer, temporaryFolder } from '../support/server.ts';

const post = async (url: string, path: string, body: unknown) => {
  const reply = await fetch(`${url}/api/2.0/mlflow/${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  if (!reply.ok) throw new Error(await reply.text());
  return (await reply.json()) as unknown;
};
const put = (url: string, path: string, body: string) => fetch(`${url}/api/2.0/mlflow-artifacts/artifacts/${path}`, { method: 'PUT', body });
const createRun = async (url: string, name: string) =>
  ((await post(url, 'runs/create', { experiment_id: '0', run_name: name, start_time: 1 })) as { run: { info: { run_id: string } } }).run.info.run_id;

it('under eight writers keeps every row and file that was acknowledged before it began, as a file and as a folder', async () => {
  const server = await startServer();
  const acknowledged: { run: string; values: number[] }[] = [];
  const state = { writing: true };
  const writers = Array.from({ length: 8 }, async (_, w) => {
    for (let i = 0; state.writing; i++) {
      const run = await createRun(server.url, `w${w}-${i}`);
      const entry = { run, values: [] as number[] };
      await put(server.url, `0/${run}/artifacts/a.txt`, `of ${run}`);
      acknowledged.push(entry);
      for (let step = 0; step < 3; step++) {
        await post(server.url, 'runs/log-metric', { run_id: run, key: 'm', value: step, step, timestamp: step });
        entry.values.push(step);
      }
    }
  });
  while (acknowledged.length < 40) await new Promise((resolve) => setTimeout(resolve, 20));
  const before = acknowledged.map(({ run, values }) => ({ run, values: [...values] }));
  const out = temporaryFolder('backups');
  const tar = await binnacle(['backup', join(out, 'b.tar'), '--url', server.url, '--json']);
  expect(tar).toMatchObject({ code: 0 });
  expect(JSON.parse(tar.stdout)).toMatchObject({ path: join(out, 'b.tar'), tables: { experiments: 1 } });
  expect(await binnacle(['backup', join(out, 'folder'), '--url', server.url])).toMatchObject({ code: 0, stdout: `${join(out, 'folder')}\n` });
  state.writing = false;
  await Promise.all(writers);
  await server.stop();
  expect(readdirSync(server.dataDir).filter((name) => name.includes('backup'))).toEqual([]);

  for (const backup of ['b.tar', 'folder']) {
    const data = join(out, `restored-${backup}`);
    expect(await binnacle(['restore', join(out, backup), '--data', data])).toMatchObject({ code: 0 });
    const restored = await startServer({ data });
    for (const { run, values } of before) {
      const history = await fetch(`${restored.url}/api/2.0/mlflow/metrics/get-history?run_id=${run}&metric_key=m`);
      const found = ((await history.json()) as { metrics?: { value: number }[] }).metrics?.map(({ value }) => value) ?? [];
      expect(found).toEqual(expect.arrayContaining(values));
      const file = await fetch(`${restored.url}/api/2.0/mlflow-artifacts/artifacts/0/${run}/artifacts/a.txt`);
      expect(await file.text()).toBe(`of ${run}`);
    }
    // It takes new writes.
    await createRun(restored.url, 'new');
    await restored.stop();
  }
}, 60_000);

it('works with no server running, refuses to overwrite, and to restore into a directory with something in it', async () => {
  const data = temporaryFolder();
  const out = temporaryFolder('backups');
  const tar = join(out, 'b.tar');
  expect(await binnacle(['backup', tar, '--data', data])).toMatchObject({ code: 0 });
  expect(await binnacle(['backup', tar, '--data', data])).toMatchObject({ code: 1, stderr: expect.stringContaining('exists already') as string });
  const listed = execFileSync('tar', ['-tf', tar], { encoding: 'utf8' }).trim().split('\n');
  expect(listed.at(0)).toBe('binnacle.db');
  expect(listed.at(-1)).toBe('manifest.json');
  expect(await binnacle(['restore', tar, '--data', data])).toMatchObject({ code: 1, stderr: expect.stringContaining('is not empty') as string });
  const empty = temporaryFolder('empty');
  expect(await binnacle(['restore', tar, '--data', empty])).toMatchObject({ code: 0, stdout: `${empty}\n` });
  expect(readdirSync(empty).sort()).toEqual(['artifacts', 'binnacle.db']);
  expect(await binnacle(['restore', join(out, 'none.tar'), '--data', join(out, 'x')])).toMatchObject({ code: 1 });
}, 30_000);

it('restores nothing of a backup that was cut off, changed or added to', async () => {
  const out = temporaryFolder('backups');
  const folder = join(out, 'good');
  const tar = join(out, 'good.tar');
  const data = temporaryFolder();
  mkdirSync(join(data, 'artifacts/0/r'), { recursive: true });
  writeFileSync(join(data, 'artifacts/0/r/a.txt'), 'hello');
  for (const target of [folder, tar]) expect(await binnacle(['backup', target, '--data', data])).toMatchObject({ code: 0 });
  const broken: [string, (path: string) => void, string][] = [
    [tar, (path) => writeFileSync(path, readFileSync(tar).subarray(0, -2000)), 'ends in the middle'],
    [folder, (path) => writeFileSync(join(path, 'artifacts/0/r/a.txt'), 'HELLO'), 'is not what it was'],
    [folder, (path) => writeFileSync(join(path, 'manifest.json'), '{}'), "not a Binnacle backup's"],
    [
      folder,
      (path) => {
        const manifest = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')) as { files: { path: string }[] };
        manifest.files.push({ ...manifest.files[0], path: 'artifacts/../../x' } as never);
        writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest));
      },
      'which no backup of ours does',
    ],
    [
      folder,
      (path) => {
        const db = new DatabaseSync(join(path, 'binnacle.db'));
        db.exec('DELETE FROM experiments');
        db.close();
      },
      'is not what it was',
    ],
  ];
  for (const [i, [from, spoil, says]] of broken.entries()) {
    const copy = join(out, `bad-${i}${from === tar ? '.tar' : ''}`);
    cpSync(from, copy, { recursive: true });
    spoil(copy);
    expect(await binnacle(['restore', copy, '--data', join(out, 'restored')])).toMatchObject({ code: 1, stderr: expect.stringContaining(says) as string });
    expect(readdirSync(out).filter((name) => name.startsWith('restored'))).toEqual([]);
  }
}, 60_000);

it('keeps the prediction log, the rows that were still hot, too', async () => {
  const out = temporaryFolder('backups');
  const open = async (dataDir: string) => {
    const engine = await openSqlite({ file: join(dataDir, 'binnacle.db') });
    const log = predictionLogHere({ dir: join(dataDir, 'monitoring'), manifest: storeProxy<SegmentManifest>(engine, 'monitoring') });
    return { engine, log };
  };
  const row = {
    requestId: 'r',
    instanceIndex: 0,
    ts: 1,
    receivedAt: 1,
    endpoint: 'e',
    model: 'm',
    version: 1,
    source: 'live' as const,
    weight: 1,
    session: 's',
  };
  const rest = { samplingFraction: 1, latencyMs: 1, features: '{}', prediction: '1', predictionNumber: 1, score: 0.5 };
  const dataDir = temporaryFolder();
  const { engine, log } = await open(dataDir);
  await log.append(packRows([{ ...row, ...rest, predictionId: 'sealed', ordinal: 1 }]));
  await log.maintain(true);
  await log.append(packRows([{ ...row, ...rest, predictionId: 'hot', ordinal: 2 }]));
  const openArtifacts = (root: string) => openFolderArtifactStore({ root });
  const database = sqliteSnapshots(join(dataDir, 'binnacle.db'));
  const artifacts = await openArtifacts(join(dataDir, 'artifacts'));
  const backup = await openBackup({ dataDir, version: '0', database, artifacts, sealPredictions: () => log.maintain(true) });
  await saveBackup(async () => backup.stream, join(out, 'b.tar'));
  await backup.close();
  await log.close();
  await engine.close();
  await restoreBackup({ database, openArtifacts }, join(out, 'b.tar'), join(out, 'data'));
  const restored = await open(join(out, 'data'));
  const found = await restored.log.list({ endpoint: 'e', limit: 10 } as never);
  expect(found.map(({ predictionId }) => predictionId).sort()).toEqual(['hot', 'sealed']);
  await restored.log.close();
  await restored.engine.close();
});
