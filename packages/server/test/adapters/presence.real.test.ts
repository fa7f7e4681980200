import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDatabaseUrl } from '../../src/adapters/sql/database-url.ts';
import { openDatabase, openMovable, storeProxy } from '../../src/adapters/sql/index.ts';
import { lockName } from '../../src/adapters/sql/mysql/presence.ts';
import { createTrackingService, type TrackingStore } from '../../src/tracking/index.ts';
import { type DatabaseProcess, startMariadb, startPostgres } from './database-servers.ts';

/** Somebody beside who can break the connection of one that is there. */
interface Beside {
  /** Has the database alone from the moment on at which the connection of the one that is there breaks. */
  takeOver(): Promise<void>;
  breakPresence(): Promise<void>;
  close(): Promise<void>;
}

async function besidePostgres(url: string): Promise<Beside> {
  const [taker, killer] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
  await Promise.all([taker.connect(), killer.connect()]);
  const there = `from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`;
  const breakPresence = async () => void (await killer.query(`select pg_terminate_backend(pid) ${there}`));
  return {
    breakPresence,
    async takeOver() {
      const { rows } = await killer.query(`select (classid::bigint << 32) | objid::bigint as key ${there}`);
      // It waits for its turn, which comes before that of those who ask later.
      const taken = taker.query('select pg_advisory_lock($1::bigint)', [rows[0].key]);
      await expect.poll(async () => (await killer.query('select 1 from pg_locks where not granted')).rowCount).toBe(1);
      await breakPresence();
      await taken;
    },
    close: async () => void (await Promise.all([taker.end(), killer.end()])),
  };
}

async function besideMariadb(url: string): Promise<Beside> {
  const client = await mysql.createConnection(url);
  const name = lockName(parseDatabaseUrl(url));
  const breakPresence = async () => {
    const [rows] = await client.query('select coalesce(is_used_lock(?), is_used_lock(?)) as id', [`${name} 0`, `${name} moving`]);
    await client.query(`kill ${(rows as { id: number }[])[0]?.id}`);
  };
  return {
    breakPresence,
    async takeOver() {
      await client.query('select get_lock(?, 0)', [`${name} moving`]);
      await breakPresence();
    },
    close: () => client.end(),
  };
}

describe.each([
  ['PostgreSQL', startPostgres, besidePostgres],
  ['MariaDB', startMariadb, besideMariadb],
] as const)('on %s', (_name, start, besideOf) => {
  let server: DatabaseProcess;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  it('a server that a move has shut out meanwhile writes nothing until it is over', async () => {
    const url = server.createDatabase();
    const engine = await openDatabase({ url, file: 'not used' });
    const tracking = createTrackingService({ store: storeProxy<TrackingStore>(engine, 'tracking') });
    const { runId } = await tracking.createRun({ experimentId: '0' });
    const beside = await besideOf(url);
    await beside.takeOver();
    const write = () =>
      tracking.createRun({ experimentId: '0' }).then(
        () => 'written',
        ({ kind, code }) => `${kind} ${code}`,
      );
    await expect.poll(write, { timeout: 20_000 }).toBe('unavailable database_being_moved');
    expect((await tracking.getRun(runId)).runId).toBe(runId);
    expect(await write()).toBe('unavailable database_being_moved');
    await beside.close();
    await expect.poll(write, { timeout: 20_000, interval: 500 }).toBe('written');
    await engine.close();
  });

  it('a move is disturbed once the connection that keeps others away has broken', async () => {
    const url = server.createDatabase();
    await (await openDatabase({ url, file: 'not used' })).close();
    const database = await openMovable({ url }, 'source');
    const beside = await besideOf(url);
    await database.undisturbed();
    await beside.breakPresence();
    await expect.poll(() => database.undisturbed().catch(({ kind, code }) => `${kind} ${code}`), { timeout: 20_000 }).toBe('unavailable migration_disturbed');
    // It is alone again, and has not been all the time.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await expect(database.undisturbed()).rejects.toMatchObject({ code: 'migration_disturbed' });
    await beside.close();
    await database.close();
  });
});
