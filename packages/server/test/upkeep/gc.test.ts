import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFolderArtifactStore } from '../../src/adapters/fs/index.ts';
import { openSqlite, type SqlEngine, storeProxy } from '../../src/adapters/sql/index.ts';
import { parseAge } from '../../src/cli/commands/gc.ts';
import { silentLogger } from '../../src/kernel/index.ts';
import { createTrackingService, type TrackingStore } from '../../src/tracking/index.ts';
import { createGarbageCollector, type GarbageStore } from '../../src/upkeep/index.ts';
import { binnacle, type RunningServer, startServer, temporaryFolder } from '../support/server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const reply = await fetch(`${server.url}/api/2.0/mlflow/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const answer: unknown = await reply.json();
  if (!reply.ok) throw new Error(JSON.stringify(answer));
  return answer as T;
}
const experiment = async (name: string) => (await call<{ experiment_id: string }>('POST', 'experiments/create', { name })).experiment_id;
const run = async (id: string) =>
  (await call<{ run: { info: { run_id: string } } }>('POST', 'runs/create', { experiment_id: id, start_time: 1 })).run.info.run_id;
const model = async (experiment_id: string, source_run_id: string) =>
  (await call<{ model: { info: { model_id: string } } }>('POST', 'logged-models', { experiment_id, name: 'model', source_run_id })).model.info.model_id;
const put = async (path: string, body = 'twelve bytes') => {
  const reply = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${path}`, { method: 'PUT', body });
  expect(reply.ok).toBe(true);
};
const gc = async (...args: string[]) => {
  const { code, stdout, stderr } = await binnacle(['gc', '--older-than', '0', '--json', '--url', server.url, ...args]);
  expect(stderr).not.toContain('error');
  expect(code).toBe(0);
  return JSON.parse(stdout) as { kept: { kind: string; id: string }[] };
};
const onDisk = (path: string) => existsSync(join(server.dataDir, 'artifacts', path));

it('removes what was deleted and nothing else, after it was only said, and frees the name', async () => {
  const gone = await experiment('reused');
  const [a, b] = [await run(gone), await run(gone)];
  for (let step = 0; step < 5; step++) await call('POST', 'runs/log-metric', { run_id: a, key: 'm', value: step, step, timestamp: step });
  const m = await model(gone, b);
  await put(`${gone}/${a}/artifacts/deep/er/a.txt`);
  await put(`${gone}/models/${m}/artifacts/MLmodel`);
  await call('POST', 'experiments/delete', { experiment_id: gone });

  const stays = await experiment('stays');
  const [kept, dropped] = [await run(stays), await run(stays)];
  await put(`${stays}/${kept}/artifacts/a.txt`);
  await put(`${stays}/${dropped}/artifacts/a.txt`);
  await call('POST', 'runs/delete', { run_id: dropped });

  // Not yet: it was deleted a moment ago.
  const early = await binnacle(['gc', '--yes', '--json', '--url', server.url]);
  expect(JSON.parse(early.stdout)).toMatchObject({ runs: 0, experiments: 0, loggedModels: 0 });
  await expect(experiment('reused')).rejects.toThrow('RESOURCE_ALREADY_EXISTS');

  const what = { runs: 3, experiments: 1, loggedModels: 1, files: 3, bytes: 36, foreign: 0, kept: [] };
  expect(await gc()).toMatchObject({ ...what, dryRun: true, points: null });
  expect(onDisk(`${gone}/${a}/artifacts/deep/er/a.txt`)).toBe(true);
  expect(await gc('--yes')).toMatchObject({ ...what, dryRun: false, points: 5 });
  expect(await gc('--yes')).toMatchObject({ runs: 0, experiments: 0, loggedModels: 0, files: 0 });

  for (const path of [gone, `${stays}/${dropped}`]) expect(onDisk(path)).toBe(false);
  expect(onDisk(`${stays}/${kept}/artifacts/a.txt`)).toBe(true);
  for (const id of [a, b, dropped]) await expect(call('GET', `runs/get?run_id=${id}`)).rejects.toThrow('RESOURCE_DOES_NOT_EXIST');
  await expect(call('GET', `logged-models/${m}`)).rejects.toThrow('RESOURCE_DOES_NOT_EXIST');
  await call('GET', `runs/get?run_id=${kept}`);
  expect(await experiment('reused')).not.toBe(gone);
}, 30_000);

it('keeps what a registered version uses, whatever was deleted around it', async () => {
  const id = await experiment('used');
  const [byRun, byModel, loose] = [await run(id), await run(id), await run(id)];
  const m = await model(id, byModel);
  await put(`${id}/${byRun}/artifacts/model/MLmodel`);
  await put(`${id}/models/${m}/artifacts/MLmodel`);
  await call('POST', 'registered-models/create', { name: 'used' });
  await call('POST', 'model-versions/create', { name: 'used', source: `runs:/${byRun}/model`, run_id: byRun });
  await call('POST', 'model-versions/create', { name: 'used', source: `models:/${m}` });
  await call('POST', 'experiments/delete', { experiment_id: id });
  const report = await gc('--yes');
  expect(report).toMatchObject({ runs: 1, experiments: 0, loggedModels: 0 });
  const names = report.kept.map(({ kind, id }) => `${kind} ${id}`).sort();
  expect(names).toEqual([`experiment ${id}`, `logged model ${m}`, `run ${byModel}`, `run ${byRun}`].sort());
  await expect(call('GET', `runs/get?run_id=${loose}`)).rejects.toThrow('RESOURCE_DOES_NOT_EXIST');
  expect(onDisk(`${id}/${byRun}/artifacts/model/MLmodel`)).toBe(true);
  expect(onDisk(`${id}/models/${m}/artifacts/MLmodel`)).toBe(true);
  // All of it can be restored.
  await call('POST', 'experiments/restore', { experiment_id: id });
  await call('GET', `runs/get?run_id=${byRun}`);
}, 30_000);

it('removes graphs that no version uses, once nobody can be about to use them', async () => {
  const graphs = join(server.dataDir, 'artifacts/.binnacle/graphs');
  mkdirSync(graphs, { recursive: true });
  const [old, fresh] = [0, Date.now()].map((time) => {
    const hex = time.toString(16).padStart(12, '0');
    return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000.onnx`;
  }) as [string, string];
  for (const name of [old, fresh, `${'a'.repeat(32)}.onnx`]) writeFileSync(join(graphs, name), 'graph');
  expect(await gc('--yes')).toMatchObject({ derivedFiles: 2, files: 2, bytes: 10 });
  expect([existsSync(join(graphs, old)), existsSync(join(graphs, fresh))]).toEqual([false, true]);
});

it('removes what pushes left that broke off, once no push can be going on, and names that no run uses', async () => {
  const old = Date.now() - 25 * 3600_000;
  const folder = (time: number, digit: string) => `${time.toString(16).padStart(12, '0')}7${digit.repeat(19)}`;
  const [broken, fresh, used] = [folder(old, 'a'), folder(Date.now(), 'b'), folder(old, 'c')] as [string, string, string];
  for (const name of [broken, fresh, used]) await put(`registry/${name}/model.onnx`);
  await put('registry/somebody-else/notes.txt');
  await call('POST', 'registered-models/create', { name: 'pushed' });
  await call('POST', 'model-versions/create', { name: 'pushed', source: `mlflow-artifacts:/registry/${used}` });
  const id = await experiment('names');
  const [gone, stays] = [await run(id), await run(id)];
  for (const [run_id, key] of [
    [gone, 'only here'],
    [gone, 'both'],
    [stays, 'both'],
  ])
    await call('POST', 'runs/log-parameter', { run_id, key, value: 'x' });
  await call('POST', 'runs/delete', { run_id: gone });
  expect(await gc()).toMatchObject({ uploads: 1, names: null });
  expect(onDisk(`registry/${broken}/model.onnx`)).toBe(true);
  const { names, ...report } = (await gc('--yes')) as { kept: never[]; names?: number };
  expect(report).toMatchObject({ uploads: 1, runs: 1 });
  // That of the param, and those of tags that came with its run and no other has.
  expect(names).toBeGreaterThanOrEqual(1);
  expect(await gc('--yes')).toMatchObject({ uploads: 0, names: 0 });
  expect([broken, fresh, used, 'somebody-else'].map((name) => onDisk(`registry/${name}`))).toEqual([false, true, true, true]);
}, 30_000);

it("no experiment keeps its runs where the server keeps pushed models: a run's folder there would look like a push that broke off", async () => {
  const at = (artifact_location: string) => call<{ experiment_id: string }>('POST', 'experiments/create', { name: artifact_location, artifact_location });
  for (const path of ['registry', 'registry/', './registry/x', '%72egistry', '.binnacle/graphs'])
    for (const root of ['mlflow-artifacts:/', 'mlflow-artifacts://host/']) await expect(at(`${root}${path}`)).rejects.toThrow('belongs to the server');
  // Nor where no file could be: gc would stumble over its runs.
  for (const path of ['../x', 'a/%2e%2e/b']) await expect(at(`mlflow-artifacts:/${path}`)).rejects.toThrow("contains '..'");
  for (const location of ['mlflow-artifacts:/registry-of-mine', 'mlflow-artifacts:/team/registry', 's3://bucket/registry'])
    expect((await at(location)).experiment_id).toMatch(/^\d+$/);
});

it('makes good at the next start what a crash between rows and files left', async () => {
  const dir = temporaryFolder();
  const artifacts = await openFolderArtifactStore({ root: join(dir, 'artifacts') });
  const open = (onEvent: (event: never) => Promise<boolean>): Promise<SqlEngine> => openSqlite({ file: join(dir, 'db'), onEvent: onEvent as never });
  // Nobody handles the event: as if the process had died.
  const first = await open(async () => false);
  const tracking = createTrackingService({ store: storeProxy<TrackingStore>(first, 'tracking') });
  const { runId } = await tracking.createRun({ experimentId: '0' });
  await artifacts.put(`0/${runId}/artifacts/a.txt`, Buffer.from('x'));
  await tracking.updateRun(runId, { lifecycleStage: 'deleted' });
  const store = storeProxy<GarbageStore>(first, 'garbage');
  const { garbage } = await store.find(Date.now());
  expect((await store.purge(garbage, Date.now())).purged).toHaveLength(1);
  await first.close();
  const done = Promise.withResolvers<void>();
  let collector: ReturnType<typeof createGarbageCollector> | undefined;
  const second = await open(async ({ type, payload }: { type: string; payload: never }) => {
    if (type === 'files.orphaned') await collector?.removeOrphans(payload).then(done.resolve, done.reject);
    return true;
  });
  collector = createGarbageCollector({ store: storeProxy<GarbageStore>(second, 'garbage'), artifacts, logger: silentLogger });
  await second.redeliver();
  await done.promise;
  expect(await artifacts.stat(`0/${runId}`)).toBeUndefined();
  await second.close();
});

it('reads ages, and refuses what is none', async () => {
  expect(['30d', '12h', '0', '5m', '1w'].map(parseAge)).toEqual([2_592_000, 43_200, 0, 300, 604_800]);
  for (const text of ['30', '', '-1d', '1y', 'd']) expect(() => parseAge(text)).toThrow('is not an age');
  expect(await binnacle(['gc', '--yes', '--dry-run'])).toMatchObject({ code: 2 });
});
