import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatabaseProcess, startMariadb, startPostgres } from '../adapters/database-servers.ts';
import { filterSteps } from '../protocols/differential/filters.ts';
import { alikeSteps, lengthSteps, nameSteps } from '../protocols/differential/names.ts';
import { replay, type Step } from '../protocols/differential/replay.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { concurrencySuite } from './concurrency.suite.ts';
import { type Json, startCrowd } from './crowd.ts';
import { pagesSuite } from './pages.suite.ts';
import { sixteen } from './writers.ts';

const python = process.env.BINNACLE_PYTHON ?? fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));
const script = fileURLToPath(new URL('../protocols/python/crowd.py', import.meta.url));

async function ending(server: RunningServer | undefined): Promise<void> {
  await server?.stop();
  if (server !== undefined) rmSync(server.dataDir, { recursive: true, force: true });
}

/** The real client in a process of its own; `started` when it has made its run. */
function startClient(...args: string[]): { child: ChildProcess; started: Promise<unknown>; result: Promise<Json> } {
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MLFLOW_')));
  const child = spawn(python, [script, ...args], { env: { ...environment, GIT_PYTHON_REFRESH: 'quiet' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  const started = Promise.withResolvers<void>();
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
    if (out.includes('started')) started.resolve();
  });
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const result = (async () => {
    const [code] = (await once(child, 'close')) as [number | null];
    started.resolve();
    expect(code, err).toBe(0);
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Json;
  })();
  return { child, started: started.promise, result };
}

describe.each([
  ['PostgreSQL', startPostgres, 'SIGQUIT'],
  ['MariaDB', startMariadb, 'SIGTERM'],
] as const)('a server on %s', (_name, start, orderly) => {
  let database: DatabaseProcess;
  let server: RunningServer;
  const get = async (path: string): Promise<Json> => (await (await fetch(`${server.url}/api/2.0/mlflow/${path}`)).json()) as Json;
  beforeAll(async () => {
    database = await start();
    server = await startServer({ args: ['--database', database.createDatabase()] });
  });
  afterAll(async () => {
    await ending(server);
    await database?.stop();
  });

  concurrencySuite(() => server.url);
  pagesSuite(() => server.url);

  describe('answers as one on SQLite does', () => {
    let embedded: RunningServer;
    let other: RunningServer;
    beforeAll(async () => {
      [embedded, other] = await Promise.all([startServer(), startServer({ args: ['--database', database.createDatabase()] })]);
    });
    afterAll(async () => {
      await ending(embedded);
      await ending(other);
    });
    it.each<[string, Step[]]>([
      ['names of every kind of character', nameSteps],
      ['names that look alike', alikeSteps],
      ['texts as long as they may be, and longer', lengthSteps],
      ['filters and orders that do not parse', filterSteps],
    ])('to %s', async (_what, steps) => {
      const [expected, got] = await Promise.all([replay(embedded.url, steps), replay(other.url, steps)]);
      for (const [i, reply] of got.entries()) expect.soft(reply).toEqual(expected[i]);
    });
  });

  it('while the database is restarted five times under 16 writers, they are told to try again, and nothing is lost or doubled', async () => {
    const own = await startServer({ args: ['--database', database.createDatabase()] });
    const crowd = startCrowd(sixteen, { write: () => own.url, read: () => own.url });
    try {
      for (let restart = 0; restart < 5; restart++) {
        await sleep(600);
        await database.restart(200, restart % 2 === 0 ? 'SIGKILL' : orderly);
      }
      const before = crowd.acknowledged();
      await sleep(600);
      expect(crowd.acknowledged()).toBeGreaterThan(before);
      await crowd.stop();
      expect(await crowd.verify()).toBeGreaterThan(100);
      expect([...crowd.seen.keys()]).toEqual(['503 TEMPORARILY_UNAVAILABLE']);
    } finally {
      await crowd.stop().catch(() => {});
      await ending(own);
    }
  });

  it.skipIf(!existsSync(python))('processes of the real mlflow client log through a restart of the database, each point and param once', async () => {
    const batches = 60;
    const { run } = (await (await fetch(`${server.url}/api/2.0/mlflow/runs/create`, { method: 'POST', body: '{"experiment_id":"0"}' })).json()) as Json;
    const shared: string = run.info.run_id;
    const names = ['one', 'two', 'three', 'four'];
    const clients = names.map((name) => startClient(server.url, name, shared, String(batches)));
    try {
      await Promise.all(clients.map(({ started }) => started));
      await database.restart(200);
      const results = await Promise.all(clients.map(({ result }) => result));
      const steps = Array.from({ length: batches * 10 }, (_, step) => step);
      const stepsOf = async (runId: string, key: string) =>
        (await get(`metrics/get-history?run_id=${runId}&metric_key=${key}`)).metrics.map(({ step }: Json) => step);
      for (const [i, { run: own }] of results.entries()) {
        expect(await stepsOf(own, 'm')).toEqual(steps);
        expect(await stepsOf(shared, names[i] as string)).toEqual(steps);
        const { info, data } = (await get(`runs/get?run_id=${own}`)).run;
        expect([info.status, data.params.length]).toEqual(['FINISHED', batches]);
      }
      expect((await get(`runs/get?run_id=${shared}`)).run.data.params).toHaveLength(names.length * batches);
      const { registered_model } = await get('registered-models/get?name=crowd');
      for (const [i, { version }] of results.entries()) expect(registered_model.aliases).toContainEqual({ alias: `of-${names[i]}`, version });
    } finally {
      for (const { child } of clients) child.kill('SIGKILL');
    }
  });
});
