import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseDatabaseUrl } from '../../src/adapters/sql/database-url.ts';
import { openDatabase } from '../../src/adapters/sql/index.ts';
import { migrate } from '../../src/adapters/sql/migrations/migrate.ts';
import { connectMysql } from '../../src/adapters/sql/mysql/engine.ts';
import { type DatabaseProcess, startMariadb } from './database-servers.ts';

let server: DatabaseProcess;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server?.stop());

const connect = (url: string) => connectMysql(parseDatabaseUrl(url));

/** Tables, columns and indexes. */
async function schemaOf(url: string): Promise<unknown[]> {
  const { db, close } = await connect(url);
  const { rows } = await sql`
    select table_name, column_name, column_type, is_nullable, collation_name, extra from information_schema.columns where table_schema = database()
    union all select table_name, index_name, group_concat(column_name order by seq_in_index), non_unique, '', '' from information_schema.statistics
      where table_schema = database() group by table_name, index_name, non_unique
    union all select 'experiments', name, '', '', '', '' from experiments
    order by 1, 2, 3`.execute(db);
  await close();
  return rows;
}

/** Migrates until the process is gone: after so many statements. */
async function crashAfter(url: string, statements: number): Promise<boolean> {
  const { db, place, close } = await connect(url);
  let left = statements;
  const dying = db.withPlugin({
    transformQuery({ node }) {
      if (left-- <= 0) throw new Error('gone');
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const crashed = await migrate(dying, place).then(
    () => false,
    (error: Error) => error.message === 'gone',
  );
  await close();
  return crashed;
}

it('goes on where a crash broke off the making of the tables, whichever statement was the last', async () => {
  const whole = server.createDatabase();
  await (await openDatabase({ url: whole, file: 'not used' })).close();
  const expected = await schemaOf(whole);
  for (const statements of [8, 9, 10, 12, 17, 26, 37, 48, 59]) {
    const url = server.createDatabase();
    expect(await crashAfter(url, statements)).toBe(true);
    // Once more, a little further on.
    await crashAfter(url, 14);
    await (await openDatabase({ url, file: 'not used' })).close();
    expect(await schemaOf(url), `after ${statements}`).toEqual(expected);
  }
});

it("does not take somebody else's tables for its own", async () => {
  const url = server.createDatabase();
  const { db, close } = await connect(url);
  await sql`create table experiments (experiment_id integer primary key, name varchar(20))`.execute(db);
  await sql`insert into experiments values (0, 'mine')`.execute(db);
  await close();
  for (let i = 0; i < 2; i++)
    await expect(openDatabase({ url, file: 'not used' })).rejects.toMatchObject({
      code: 'database_not_empty',
      message: expect.stringContaining('of somebody else'),
    });
});
