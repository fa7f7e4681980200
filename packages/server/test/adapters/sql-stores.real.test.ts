import { Kysely } from 'kysely';
import mysql from 'mysql2';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type SqlEngine, storeProxy } from '../../src/adapters/sql/index.ts';
import { mysqlDialect } from '../../src/adapters/sql/mysql/dialect.ts';
import { postgresDialect } from '../../src/adapters/sql/postgres/dialect.ts';
import type { OutboxEvent } from '../../src/kernel/index.ts';
import { createTrackingService, type TrackingStore } from '../../src/tracking/index.ts';
import { batchStoreSuite } from '../ports/batch-store.suite.ts';
import { importsSuite } from '../ports/imports.suite.ts';
import { monitoringStoreSuite } from '../ports/monitoring-store.suite.ts';
import { overviewStoreSuite } from '../ports/overview-store.suite.ts';
import { registryStoreSuite } from '../ports/registry-store.suite.ts';
import { runGroupsSuite } from '../ports/run-groups.suite.ts';
import { savedViewStoreSuite } from '../ports/saved-view-store.suite.ts';
import { oldDatabaseSuite } from '../ports/old-database.suite.ts';
import { seriesStoreSuite } from '../ports/series-store.suite.ts';
import { endpointStoreSuite } from '../ports/endpoint-store.suite.ts';
import { garbageStoreSuite } from '../ports/garbage-store.suite.ts';
import { outboxSuite } from '../ports/outbox-store.suite.ts';
import { trackingStoreSuite } from '../ports/tracking-store.suite.ts';
import { type DatabaseProcess, startMariadb, startPostgres } from './database-servers.ts';

const WRITERS = 16;

describe.each([
  ['PostgreSQL', startPostgres],
  ['MariaDB', startMariadb],
] as const)('on %s', (name, start) => {
  let server: DatabaseProcess;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  const open = (url: string, onEvent?: (event: OutboxEvent) => void): Promise<SqlEngine> =>
    openDatabase({ url, file: 'not used', ...(onEvent === undefined ? {} : { onEvent }) });
  const subject = async <S extends object>(store: string) => {
    const events: OutboxEvent[] = [];
    const engine = await open(server.createDatabase(), (event) => void events.push(event));
    return { store: storeProxy<S>(engine, store), events, close: () => engine.close() };
  };

  trackingStoreSuite(name, () => subject('tracking'));
  runGroupsSuite(name, () => subject('tracking'));
  seriesStoreSuite(name, async () => {
    const engine = await open(server.createDatabase());
    return { store: storeProxy(engine, 'tracking'), garbage: storeProxy(engine, 'garbage'), close: () => engine.close() };
  });
  oldDatabaseSuite(name, async () => {
    const url = server.createDatabase();
    const dialect =
      name === 'PostgreSQL'
        ? postgresDialect(new pg.Pool({ connectionString: url }) as never, 'default')
        : mysqlDialect(mysql.createPool(url) as never, 'utf8mb4_nopad_bin', (run) => run(`set session sql_mode = 'NO_AUTO_VALUE_ON_ZERO'`));
    return {
      old: new Kysely<unknown>({ dialect }),
      async reopen() {
        const engine = await open(url);
        return { store: storeProxy<TrackingStore>(engine, 'tracking'), close: () => engine.close() };
      },
    };
  });
  registryStoreSuite(`on ${name}`, () => subject('registry'));
  batchStoreSuite(`on ${name}`, () => subject('batch'));
  monitoringStoreSuite(`on ${name}`, () => subject('monitoring'));
  endpointStoreSuite(`on ${name}`, () => subject('serving'));
  outboxSuite(`on ${name}`, async () => {
    const url = server.createDatabase();
    return { open: (onEvent) => openDatabase({ url, file: 'not used', onEvent }), remove: async () => {} };
  });
  garbageStoreSuite(`on ${name}`, async () => {
    const events: OutboxEvent[] = [];
    const engine = await open(server.createDatabase(), (event) => void events.push(event));
    return {
      garbage: storeProxy(engine, 'garbage'),
      tracking: storeProxy(engine, 'tracking'),
      registry: storeProxy(engine, 'registry'),
      events,
      close: () => engine.close(),
    };
  });
  overviewStoreSuite(`on ${name}`, async () => {
    const engine = await open(server.createDatabase());
    return {
      overview: storeProxy(engine, 'overview'),
      tracking: storeProxy(engine, 'tracking'),
      registry: storeProxy(engine, 'registry'),
      close: () => engine.close(),
    };
  });

  importsSuite(`on ${name}`, async () => {
    const engine = await open(server.createDatabase());
    return {
      tracking: storeProxy(engine, 'tracking'),
      registry: storeProxy(engine, 'registry'),
      marks: storeProxy(engine, 'transfer'),
      close: () => engine.close(),
    };
  });

  savedViewStoreSuite(`on ${name}`, async () => {
    const engine = await open(server.createDatabase());
    return {
      views: storeProxy(engine, 'savedViews'),
      tracking: storeProxy(engine, 'tracking'),
      garbage: storeProxy(engine, 'garbage'),
      close: () => engine.close(),
    };
  });

  it('one of the servers on a database has a lease, and another gets it when that one is gone', async () => {
    const url = server.createDatabase();
    const [first, second, elsewhere] = [await open(url), await open(url), await open(server.createDatabase())];
    expect([await first.lease('batch'), await second.lease('batch'), await first.lease('batch'), await second.lease('other')]).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect(await elsewhere.lease('batch')).toBe(true);
    await first.close();
    await expect.poll(() => second.lease('batch'), { timeout: 10_000 }).toBe(true);
    // The connection that holds it breaks with the server, and is made again.
    await server.restart();
    await expect.poll(() => second.lease('batch').catch(() => false), { timeout: 20_000, interval: 500 }).toBe(true);
    for (const engine of [second, elsewhere]) await engine.close();
  });

  it('what cannot be opened is said clearly and without the password', async () => {
    const error = async (url: string) => {
      const failure: Error & { code?: string } = await open(url).then(
        () => new Error('it opened'),
        (reason: Error) => reason,
      );
      expect(JSON.stringify([failure.message, failure.stack])).not.toMatch(/secret|pass@word|pass%40word/);
      return failure.code;
    };
    expect(await error(server.url({ password: 'secret' }))).toBe('database_denied');
    expect(await error(server.url({ port: 1 }))).toBe('database_unreachable');
    // MariaDB does not tell a user what there is beyond its grants.
    expect(['database_not_found', 'database_privilege']).toContain(await error(server.url({ database: 'nowhere' })));
  });

  it('texts are kept and compared byte by byte', async () => {
    const { store, close } = await subject<TrackingStore>('tracking');
    const tracking = createTrackingService({ store });
    const names = ['a', 'A', 'a ', 'ä', 'a\u0308', 'Z', '√∑', '🦀', `\\' % _ "; --`];
    for (const one of names) await tracking.createExperiment({ name: one });
    for (const one of names) expect((await tracking.findExperiment(one))?.name).toBe(one);
    const { runId } = await tracking.createRun({ experimentId: '0' });
    const value = `${'é'.repeat(249)}🦀${'x'.repeat(5000)}`;
    await tracking.logBatch(runId, { params: [{ key: 'long', value }] });
    expect((await tracking.getRun(runId)).params).toEqual(['long', value]);
    await close();
  });

  it('engines that start together on one empty database make its tables once', async () => {
    const url = server.createDatabase();
    const engines = await Promise.all(Array.from({ length: 4 }, () => open(url)));
    const counts = await Promise.all(engines.map((engine) => engine.call({ store: 'overview', method: 'counts', args: [] })));
    expect(counts).toEqual(Array.from({ length: 4 }, () => expect.objectContaining({ experiments: 1 })));
    for (const engine of engines) await engine.close();
  });

  it(`${WRITERS} writers from two servers, on one run and on many, lose and double nothing`, async () => {
    const url = server.createDatabase();
    const engines = [await open(url), await open(url)];
    const services = engines.map((engine) => createTrackingService({ store: storeProxy<TrackingStore>(engine, 'tracking') }));
    const service = (i: number) => services[i % services.length] as (typeof services)[number];
    const { runId: common } = await service(0).createRun({ experimentId: '0' });
    const own = await Promise.all(Array.from({ length: WRITERS }, (_, i) => service(i).createRun({ experimentId: '0', name: `r${i}` })));
    const batches = 12;
    await Promise.all(
      own.map(async ({ runId }, i) => {
        for (let b = 0; b < batches; b++) {
          const at = (step: number) => ({ step, value: step, timestamp: step });
          const first = (i * batches + b) * 10;
          const write = () =>
            service(i).logBatch(common, {
              metrics: Array.from({ length: 10 }, (_, n) => ({ key: 'shared', ...at(first + n) })),
              params: [{ key: `p${i}-${b}`, value: String(b) }],
            });
          // Sent twice at once, as a client that lost patience does.
          await Promise.all([write(), write()]);
          await service(i).logBatch(runId, {
            metrics: [
              { key: `m${b}`, ...at(b) },
              { key: 'own', ...at(b) },
            ],
            tags: [{ key: 'last', value: String(b) }],
          });
        }
      }),
    );
    const history = await service(0).metricHistory(common, 'shared', null);
    expect([...history.steps]).toEqual(Array.from({ length: WRITERS * batches * 10 }, (_, step) => step));
    expect((await service(1).getRun(common)).params.length).toBe(WRITERS * batches * 2);
    for (const { runId } of own) {
      expect((await service(0).metricHistory(runId, 'own', null)).steps.length).toBe(batches);
      expect((await service(1).getRun(runId)).metrics.keys.length).toBe(batches + 1);
    }
    for (const engine of engines) await engine.close();
  });

  it('while the server is killed and started again under load, calls fail as retriable and nothing acknowledged is lost', async () => {
    const engine = await open(server.createDatabase());
    const tracking = createTrackingService({ store: storeProxy<TrackingStore>(engine, 'tracking') });
    const runs = await Promise.all(Array.from({ length: WRITERS }, () => tracking.createRun({ experimentId: '0' })));
    const acknowledged = runs.map(() => new Set<number>());
    const failures = new Map<string, number>();
    const writing = { on: true };
    const writers = runs.map(async ({ runId }, i) => {
      for (let step = 0; writing.on; step++) {
        try {
          await tracking.logBatch(runId, { metrics: [{ key: 'm', step, value: step, timestamp: step }], params: [{ key: `p${step}`, value: 'x' }] });
          acknowledged[i]?.add(step);
        } catch (error) {
          const { kind, code } = error as { kind?: string; code?: string };
          failures.set(`${kind} ${code}`, (failures.get(`${kind} ${code}`) ?? 0) + 1);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    });
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    await pause(500);
    const before = acknowledged.reduce((sum, set) => sum + set.size, 0);
    await server.restart(300);
    await pause(1000);
    writing.on = false;
    await Promise.all(writers);
    expect([...failures.keys()].filter((key) => !/^unavailable database_(unreachable|commit_unknown)$/.test(key))).toEqual([]);
    expect(failures.size).toBeGreaterThan(0);
    const after = acknowledged.reduce((sum, set) => sum + set.size, 0);
    expect(before).toBeGreaterThan(0);
    expect(after).toBeGreaterThan(before);
    for (const [i, { runId }] of runs.entries()) {
      const { steps } = await tracking.metricHistory(runId, 'm', null);
      const there = new Set(steps);
      expect(there.size).toBe(steps.length);
      const params = new Set((await tracking.getRun(runId)).params);
      // A batch is whole or not there.
      for (const step of there) expect(params.has(`p${step}`)).toBe(true);
      expect([...(acknowledged[i] ?? [])].filter((step) => !there.has(step))).toEqual([]);
    }
    await engine.close();
  });
});
