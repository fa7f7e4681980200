import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRun } from '@binnacle/sdk/node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunningServer, startServer, temporaryFolder } from '../support/server.ts';
import { bare, client, offlineFolder, onlyRun, pointsOf, runFolders, runScript, sync, syncHere } from './kit.ts';

// Each test starts several processes.
vi.setConfig({ testTimeout: 120_000 });
let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(server.dataDir, { recursive: true, force: true });
});
const api = () => client(server.url);

it('everything a run can log offline arrives as if it had been logged online, and the folder is gone', async () => {
  const offline = offlineFolder();
  const parent = await startRun({ ...bare, baseUrl: server.url, experiment: 'whole' });
  parent.log({ loss: 9 }, 0);
  await parent.end();
  const local = join(temporaryFolder('local'), 'größe 100%.bin');
  writeFileSync(local, Buffer.alloc(3_000_000, 7));
  const from = Date.now();
  {
    await using run = await startRun({
      ...bare,
      offline,
      experiment: 'whole, offline',
      name: 'first',
      params: { lr: 0.1 },
      tags: { team: 'x' },
      fork: { runId: parent.id, step: 0 },
    });
    run.log({ loss: 0.5, odd: Number.NaN }, 0.5);
    run.log({ loss: Number.POSITIVE_INFINITY }, 1.5);
    run.strings({ sample: 'Zeile 1\nZeile "2" ☃' }, 1);
    run.histograms({ weights: [1, 2, 2, 3] }, 2);
    run.files({ picture: { path: 'pictures/3.txt', content: 'three' } }, 3);
    run.params({ depth: 4 });
    run.tags({ team: 'y' });
    await run.artifactFile('models/größe 100%.bin', local);
  }
  expect(runFolders(offline)).toEqual([expect.stringMatching(/^\d{8}-\d{6}_whole-offline_first_[0-9a-f]{8}$/)]);
  expect(await syncHere(offline, server.url)).toMatchObject([{ state: 'synced', artifacts: 2, refused: [], damaged: 0, error: null }]);
  expect(runFolders(offline)).toEqual([]);

  const run = await onlyRun(server.url, 'whole, offline');
  expect(run).toMatchObject({
    name: 'first',
    status: 'FINISHED',
    params: { lr: '0.1', depth: '4' },
    tags: { team: 'y' },
    fork: { runId: parent.id, step: 0 },
    entryKeys: { string: 1, histogram: 1, file: 1 },
  });
  expect(run.startedAt).toBeGreaterThanOrEqual(from);
  expect(run.endedAt).toBeLessThanOrEqual(Date.now());
  const { series } = await api().call('getSeries', { body: { runIds: [run.id], keys: ['loss', 'odd'] } });
  const points = series.map(({ key, points: all }) => [key, all.map(({ step, value }) => [step, value])]);
  expect(points).toEqual([
    ['loss', [[0, 9], [0.5, 0.5], [1.5, 'Infinity']]], // biome-ignore format: a table
    ['odd', [[0.5, 'NaN']]],
  ]);
  const entry = async (key: string) => (await api().call('getEntries', { params: { runId: run.id }, query: { key } })).entries[0];
  expect(await entry('sample')).toMatchObject({ step: 1, value: 'Zeile 1\nZeile "2" ☃' });
  expect(await entry('weights')).toMatchObject({ step: 2, value: { counts: expect.arrayContaining([1, 2, 1]) as number[] } });
  expect(await entry('picture')).toMatchObject({ step: 3, value: { path: 'pictures/3.txt', size: 5 } });
  const file = await api().raw('getRunArtifact', { params: { runId: run.id }, query: { path: 'models/größe 100%.bin' } });
  expect(Buffer.from(await file.arrayBuffer()).equals(readFileSync(local))).toBe(true);
});

describe('what is sent twice', () => {
  it('is there once: a sync that forgot its progress, and two beside each other', async () => {
    const offline = offlineFolder();
    {
      await using run = await startRun({ ...bare, offline, experiment: 'twice', params: { a: 1 } });
      for (let step = 0; step < 12_000; step++) run.log({ loss: step });
      for (let step = 0; step < 50; step++) run.strings({ text: `s${step}` }, step);
      run.files({ picture: { path: 'p.txt', content: 'p' } }, 3);
    }
    expect((await sync(offline, server.url, '--keep')).runs).toMatchObject([{ state: 'synced' }]);
    const [folder = ''] = runFolders(offline);
    expect((await sync(offline, server.url, '--keep')).runs).toMatchObject([{ state: 'unchanged', entries: 0 }]);
    rmSync(join(offline, folder, 'synced.json'));
    const both = await Promise.all([sync(offline, server.url), sync(offline, server.url)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(runFolders(offline)).toEqual([]);
    const run = await onlyRun(server.url, 'twice');
    expect(await pointsOf(server.url, run.id, 'loss')).toBe(12_000);
    const { keys } = await api().call('listEntryKeys', { params: { runId: run.id }, query: {} });
    expect(keys.map(({ key, count }) => [key, count])).toEqual([
      ['picture', 1],
      ['text', 50],
    ]);
    expect(run.status).toBe('FINISHED');
  });
});

it('a run that is still written is sent as far as it is, and goes on later; --watch follows it to its end', async () => {
  const offline = offlineFolder();
  const run = await startRun({ ...bare, offline, experiment: 'open', flushIntervalMs: 50 });
  run.log({ loss: 1 });
  await run.flush();
  expect((await sync(offline, server.url)).runs).toMatchObject([{ state: 'open', entries: 1 }]);
  expect(await onlyRun(server.url, 'open')).toMatchObject({ status: 'RUNNING', endedAt: null, metrics: [{ key: 'loss', count: 1 }] });
  run.log({ loss: 2 });
  await run.flush();
  expect((await sync(offline, server.url)).runs).toMatchObject([{ state: 'open', entries: 1 }]);
  run.log({ loss: 3 });
  await run.end('FAILED');
  expect((await sync(offline, server.url)).runs).toMatchObject([{ state: 'synced', entries: 1 }]);
  expect(await onlyRun(server.url, 'open')).toMatchObject({ status: 'FAILED', metrics: [{ key: 'loss', count: 3 }] });
});

it('what the server refuses is told with exit code 1 and stays; the rest is there', async () => {
  const offline = offlineFolder();
  {
    await using run = await startRun({ ...bare, offline, experiment: 'refused', params: { lr: 1 } });
    run.log({ loss: 1, 'bad\u0001key': 2 });
    run.params({ lr: 2, depth: 3 });
    await run.artifact('a.txt', 'a');
    run.log({ loss: 2 });
  }
  for (let again = 0; again < 2; again++) {
    const { code, runs } = await sync(offline, server.url);
    expect(code).toBe(1);
    expect(runs).toMatchObject([{ state: 'incomplete', refused: [{ what: 'metric bad\u0001key' }, { what: 'param lr' }] }]);
  }
  expect(await onlyRun(server.url, 'refused')).toMatchObject({
    status: 'FINISHED',
    params: { lr: '1', depth: '3' },
    metrics: [{ key: 'loss', count: 2 }],
  });
  expect(runFolders(offline)).toHaveLength(1);
});

it('lines that cannot be read, files that changed, and folders that are no runs', async () => {
  const offline = offlineFolder();
  {
    await using run = await startRun({ ...bare, offline, experiment: 'damaged' });
    run.log({ loss: 1 });
    await run.artifact('a.txt', 'content');
    await run.artifact('b.txt', 'other content');
  }
  const folder = join(offline, runFolders(offline)[0] ?? '');
  const record = join(folder, 'run.jsonl');
  writeFileSync(record, readFileSync(record, 'utf8').replace('{"kind":"metric"', '{"kind":"m\n{"kind":"metric"'));
  const files = readdirSync(join(folder, 'files'));
  writeFileSync(join(folder, 'files', files.find((name) => name.endsWith('a.txt')) ?? ''), 'changed');
  rmSync(join(folder, 'files', files.find((name) => name.endsWith('b.txt')) ?? ''));
  writeFileSync(join(offline, 'note.txt'), 'mine');
  const { code, runs } = await sync(offline, server.url);
  expect(code).toBe(1);
  expect(runs).toMatchObject([{ state: 'incomplete', damaged: 1, refused: [{ what: 'artifact a.txt' }, { what: 'artifact b.txt' }] }]);
  expect(await onlyRun(server.url, 'damaged')).toMatchObject({ status: 'FINISHED', metrics: [{ key: 'loss', count: 1 }] });
  expect((await sync(join(offline, 'no such folder'), server.url)).code).toBe(1);
});

it('processes that go on with one run are one run', async () => {
  const offline = offlineFolder();
  const runId = '0123456789abcdef'.repeat(2);
  const part = (number: number) => startRun({ ...bare, offline, experiment: 'resumed', runId, tags: { [`part${number}`]: 'yes' } });
  for (const number of [0, 1]) {
    await using run = await part(number);
    run.log({ loss: number }, number);
  }
  expect((await sync(offline, server.url)).runs.map(({ state }) => state)).toEqual(['synced', 'synced']);
  const third = await part(2);
  expect((await sync(offline, server.url)).runs.map(({ state }) => state)).toEqual(['open']);
  expect(await onlyRun(server.url, 'resumed')).toMatchObject({ id: runId, status: 'RUNNING' });
  await third.end();
  expect((await sync(offline, server.url)).runs.map(({ state }) => state)).toEqual(['synced']);
  expect(await onlyRun(server.url, 'resumed')).toMatchObject({
    status: 'FINISHED',
    tags: { part0: 'yes', part1: 'yes', part2: 'yes' },
    metrics: [{ key: 'loss', count: 2 }],
  });
});

it('a process that exits without ending its run loses nothing, and the run ends by its exit code', async () => {
  const offline = offlineFolder();
  const script = runScript(`
    const run = await startRun({ offline: ${JSON.stringify(offline)}, experiment: 'exits', hardware: false, source: false, flushIntervalMs: 60_000 });
    for (let step = 0; step < 100; step++) run.log({ loss: step });
    process.exit(3);`);
  expect(await script.ended).toBe(3);
  expect((await sync(offline, server.url)).runs).toMatchObject([{ state: 'synced', entries: 100 }]);
  expect(await onlyRun(server.url, 'exits')).toMatchObject({ status: 'FAILED', metrics: [{ key: 'loss', count: 100 }] });
});

it('a line that the exit tore is written again, and the run is complete', async () => {
  const offline = offlineFolder();
  const script = runScript(`
    import { appendFileSync } from 'node:fs';
    const run = await startRun({ offline: ${JSON.stringify(offline)}, experiment: 'torn', hardware: false, source: false, flushIntervalMs: 60_000 });
    run.log({ loss: 1 });
    void run.flush();
    // The write is under way, and has not gone further than this.
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    appendFileSync(run.folder + '/run.jsonl', '{"kind":"metr');
    process.exit(0);`);
  expect(await script.ended).toBe(0);
  expect((await sync(offline, server.url)).runs).toMatchObject([{ state: 'synced', damaged: 0 }]);
  expect(await onlyRun(server.url, 'torn')).toMatchObject({ status: 'FINISHED', metrics: [{ key: 'loss', count: 1 }] });
});

it('the environment says where a script logs to: mode, folder and server', async () => {
  const offline = offlineFolder();
  const body = `await using run = await startRun({ experiment: 'by environment' }); run.log({ loss: 1 });`;
  expect(await runScript(body, { env: { BINNACLE_MODE: 'offline', BINNACLE_OFFLINE_DIR: offline } }).ended).toBe(0);
  expect(await sync(offline, server.url)).toMatchObject({ code: 0, runs: [{ state: 'synced', experiment: 'by environment', refused: [] }] });
  const run = await onlyRun(server.url, 'by environment');
  // Source and hardware are recorded as they are sent.
  expect(run.tags).toMatchObject({ 'mlflow.source.type': 'LOCAL', 'mlflow.user': run.user });
  expect(await runScript(body.replace('by environment', 'online'), { env: { BINNACLE_URL: server.url } }).ended).toBe(0);
  expect(await onlyRun(server.url, 'online')).toMatchObject({ status: 'FINISHED' });
});

it('a run of another machine stays open until it is said to be over', async () => {
  const offline = offlineFolder();
  const run = await startRun({ ...bare, offline, experiment: 'elsewhere' });
  run.log({ loss: 1 });
  await run.flush();
  const record = join(String(run.folder), 'run.jsonl');
  const text = readFileSync(record, 'utf8').replace(/"host":"[^"]*"/, '"host":"another"');
  await run.end();
  writeFileSync(record, text);
  appendFileSync(record, '{"kind":"metric","key":"to');
  expect((await sync(offline, server.url)).runs).toMatchObject([{ state: 'open' }]);
  expect((await sync(offline, server.url, '--end-interrupted')).runs).toMatchObject([{ state: 'interrupted' }]);
  expect(await onlyRun(server.url, 'elsewhere')).toMatchObject({ status: 'KILLED', metrics: [{ key: 'loss', count: 1 }] });
  expect(existsSync(record)).toBe(false);
});

it('what cannot be written is told at the start, what cannot be read when it is asked for', async () => {
  const told: string[] = [];
  const file = join(temporaryFolder('offline'), 'file');
  writeFileSync(file, '');
  await expect(startRun({ ...bare, offline: file })).rejects.toThrow(/EEXIST|ENOTDIR/);
  const run = await startRun({ ...bare, offline: offlineFolder(), onError: (error) => told.push(String(error)) });
  await run.artifactFile('a.txt', '/no/such/file');
  await run.end();
  expect([run.dropped, told.join()]).toEqual([1, expect.stringContaining('/no/such/file')]);
  await expect(startRun({ ...bare, mode: 'sometimes' as never })).rejects.toThrow('online, offline, auto');
});
