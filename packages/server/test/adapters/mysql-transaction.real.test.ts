import { sql } from 'kysely';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseDatabaseUrl } from '../../src/adapters/sql/database-url.ts';
import { openDatabase, storeProxy } from '../../src/adapters/sql/index.ts';
import { connectMysql } from '../../src/adapters/sql/mysql/engine.ts';
import { transactions } from '../../src/adapters/sql/mysql/transaction.ts';
import { createTrackingService, type TrackingStore } from '../../src/tracking/index.ts';
import { type DatabaseProcess, startMariadb } from './database-servers.ts';

let server: DatabaseProcess;
beforeAll(async () => {
  server = await startMariadb();
  // Who waits for whom is told to administrators only.
  server.admin('grant process on *.* to binnacle');
});
afterAll(() => server?.stop());

it('a deadlock in the midst of statements that were asked for at once leaves nothing of the transaction', async () => {
  const url = server.createDatabase();
  const engine = await openDatabase({ url, file: 'not used' });
  const tracking = createTrackingService({ store: storeProxy<TrackingStore>(engine, 'tracking') });
  const params = [{ key: 'p', value: '1' }];
  await tracking.createRun({ experimentId: '0', params });
  const other = await mysql.createConnection(url);
  const count = async (what: string) => ((await other.query(`select count(*) as n from ${what}`))[0] as { n: number }[])[0]?.n;
  // The server gives up the one of two that has changed less.
  await other.query('create table ballast (n integer primary key)');
  await other.query('start transaction');
  await other.query(`insert into ballast (n) values ${Array.from({ length: 2000 }, (_, n) => `(${n})`).join()}`);
  await other.query(`insert into run_keys (experiment_id, kind, name) values (0, 2, 't')`);
  // Its tag's key waits for that one, and behind it wait the params, whose keys are known.
  const created = tracking.createRun({ experimentId: '0', params, tags: [{ key: 't', value: 'x' }] });
  // The server looks anew only when nobody has looked for a tenth of a second.
  await expect.poll(() => count(`information_schema.innodb_trx where trx_state = 'LOCK WAIT'`), { timeout: 30_000, interval: 300 }).toBe(1);
  await other.query('select slot from binnacle_locks for update');
  await other.query('rollback');
  const { runId } = await created;
  expect(await count('run_params where rid not in (select rid from runs)')).toBe(0);
  expect([await count('runs'), await count('run_params')]).toEqual([2, 2]);
  expect(await tracking.getRun(runId)).toMatchObject({ params: ['p', '1'], tags: expect.arrayContaining(['t', 'x']) });
  await other.end();
  await engine.close();
});

it('after a failed statement only a rollback goes out, and after the end nothing', async () => {
  const { db, dialect, close } = await connectMysql(parseDatabaseUrl(server.createDatabase()));
  await sql`create table t (n integer primary key)`.execute(db);
  const lend = transactions(db, dialect);
  const insert = (handle: typeof db, n: number) => sql`insert into t (n) values (${n})`.execute(handle);
  const run = (handle: typeof db, statement: string) => sql.raw(statement).execute(handle);
  let past = db;
  await lend(async (handle) => {
    past = handle;
    await run(handle, 'start transaction');
    await insert(handle, 1);
    await run(handle, 'savepoint request');
    const [duplicate, behind] = await Promise.allSettled([insert(handle, 1), insert(handle, 2)]);
    expect(duplicate).toMatchObject({ status: 'rejected', reason: { errno: 1062 } });
    expect(behind).toEqual(duplicate);
    await expect(run(handle, 'commit')).rejects.toMatchObject({ errno: 1062 });
    await run(handle, 'rollback to savepoint request');
    await insert(handle, 3);
    await run(handle, 'commit');
    await expect(insert(handle, 4)).rejects.toThrow('The transaction is over.');
  });
  await lend(async (handle) => {
    await run(handle, 'start transaction');
    await insert(handle, 5);
    await expect(insert(past, 6)).rejects.toThrow('The transaction is over.');
    const [, , stray] = await Promise.allSettled([insert(handle, 1), run(handle, 'rollback'), insert(handle, 7)]);
    expect(stray).toMatchObject({ status: 'rejected', reason: { message: 'The transaction is over.' } });
  });
  expect((await sql`select n from t order by n`.execute(db)).rows).toEqual([{ n: 1 }, { n: 3 }]);
  await close();
});
