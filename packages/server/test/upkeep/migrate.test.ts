import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { openMovable, openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import { createTrackingService, type TrackingStore } from '../../src/tracking/index.ts';
import { type MovableDatabase, type MovableTable, moveDatabase, type MoveReport } from '../../src/upkeep/index.ts';
import { binnacle, startServer, temporaryFolder } from '../support/server.ts';

const RUNS = 30;

async function fill(file: string): Promise<void> {
  const engine = await openSqlite({ file });
  const tracking = createTrackingService({ store: storeProxy<TrackingStore>(engine, 'tracking') });
  for (let i = 0; i < RUNS; i++) {
    const { runId } = await tracking.createRun({ experimentId: '0', name: `run ${i}` });
    const points = Array.from({ length: 200 }, (_, step) => ({ key: 'm', value: step === 7 ? Number.NaN : Math.sin(step), step, timestamp: step }));
    await tracking.logBatch(runId, { metrics: points, params: [{ key: 'p', value: `ü${i}` }] });
  }
  await engine.close();
}
const source = async (): Promise<string> => {
  const file = join(temporaryFolder('from'), 'binnacle.db');
  await fill(file);
  return file;
};
const target = () => join(temporaryFolder('to'), 'binnacle.db');

/** Moves; `tamper` may stand between. */
async function move(from: string, to: string, tamper: (database: MovableDatabase) => MovableDatabase = (database) => database): Promise<MoveReport> {
  const source = await openMovable({ file: from }, 'source');
  const target = await openMovable({ file: to }, 'target');
  try {
    return await moveDatabase(source, tamper(target));
  } finally {
    await target.close();
    await source.close();
  }
}
const sql = (file: string, ...statements: string[]) => {
  const db = new DatabaseSync(file);
  for (const statement of statements) db.exec(statement);
  db.close();
};
/** The database as it is, but for what is given. */
const but = (database: MovableDatabase, own: Partial<MovableDatabase>): MovableDatabase =>
  new Proxy(database, {
    get(real, name) {
      const value: unknown = own[name as keyof MovableDatabase] ?? Reflect.get(real, name, real);
      return typeof value === 'function' ? value.bind(real) : value;
    },
  });

it('is not finished when others may have written meanwhile', async () => {
  const [from, to] = [await source(), target()];
  const disturbed = (database: MovableDatabase) =>
    but(database, {
      undisturbed: async () => {
        throw new Error('disturbed');
      },
    });
  await expect(move(from, to, disturbed)).rejects.toThrow('disturbed');
  await expect(openSqlite({ file: to })).rejects.toMatchObject({ code: 'migration_unfinished' });
  expect(await move(from, to)).toMatchObject({ equal: true, resumed: true, copied: 0 });
});

it('breaks off anywhere and goes on, and ends with the same; no server starts on the half', async () => {
  const from = await source();
  const whole = await move(from, target());
  expect(whole).toMatchObject({ equal: true, resumed: false, already: false, copied: whole.rows });
  expect(whole.tables.find(({ table }) => table === 'runs')).toMatchObject({ rows: RUNS, targetRows: RUNS });
  const to = target();
  const dies = (inserts: number) => (database: MovableDatabase) => {
    let left = inserts;
    return but(database, {
      async insert(table: MovableTable, rows) {
        if (left-- <= 0) throw new Error('gone');
        await database.insert(table, rows);
      },
    });
  };
  await expect(move(from, to, dies(0))).rejects.toThrow('gone');
  // As an import of an older experiment of that name does.
  sql(from, 'update experiments set created_at = created_at - 86400000');
  for (const inserts of [0, 1, 1, 2]) await expect(move(from, to, dies(inserts))).rejects.toThrow('gone');
  await expect(openSqlite({ file: to })).rejects.toMatchObject({ code: 'migration_unfinished', message: expect.stringContaining(from) });
  // What was there already has changed since: it is moved once more.
  sql(from, "update runs set name = 'renamed' where rid = 1", 'delete from run_params where rid = 2');
  const end = await move(from, to);
  expect(end).toMatchObject({ equal: true, resumed: true });
  expect(end.tables.map(({ checksum }) => checksum)).toEqual((await move(from, target())).tables.map(({ checksum }) => checksum));
  await (await openSqlite({ file: to })).close();
  expect(await move(from, to)).toMatchObject({ equal: true, already: true, copied: 0 });
}, 90_000);

it('moves long rows a few at a time, and short ones many', async () => {
  const from = await source();
  const long = 'x'.repeat(1024 * 1024);
  sql(from, 'delete from experiment_tags');
  const db = new DatabaseSync(from);
  const insert = db.prepare('insert into experiment_tags (experiment_id, tag_key, tag_value) values (0, ?, ?)');
  for (let i = 0; i < 1200; i++) insert.run(String(i).padStart(4, '0'), i >= 700 && i < 712 ? long : 'short');
  db.close();
  const pages: { rows: number; bytes: number }[] = [];
  await move(from, target(), (database) =>
    but(database, {
      async insert(table: MovableTable, rows) {
        const bytes = rows.flat().reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 8), 0);
        if (table.name === 'experiment_tags') pages.push({ rows: rows.length, bytes });
        await database.insert(table, rows);
      },
    }),
  );
  expect(pages.reduce((sum, { rows }) => sum + rows, 0)).toBe(1200);
  expect(Math.max(...pages.map(({ bytes }) => bytes))).toBeLessThan(4.1 * 1024 * 1024);
  expect(pages.length).toBeLessThan(12);
}, 90_000);

it('names the table and the first row that differs', async () => {
  const from = await source();
  const tampering = async (statement: string) => {
    const to = target();
    // Once the table was copied, the file is changed behind its back.
    const report = await move(from, to, (database) =>
      but(database, {
        async insert(table: MovableTable, rows) {
          await database.insert(table, rows);
          if (table.name === 'runs') sql(to, statement);
        },
      }),
    );
    const { table, firstDifference, equal } = report.tables.find((one) => !one.equal) ?? {};
    expect(report.equal).toBe(false);
    expect(report.tables.filter((one) => !one.equal)).toHaveLength(1);
    await expect(openSqlite({ file: to })).rejects.toMatchObject({ code: 'migration_unfinished' });
    return [table, firstDifference, equal];
  };
  expect(await tampering("update runs set name = 'RUN 4', user_id = 'x' where rid = 5")).toEqual(['runs', 'rid=5 differs in name, user_id', false]);
  expect(await tampering('delete from runs where rid in (9, 12)')).toEqual(['runs', 'rid=9 is missing from the target', false]);
  expect(
    await tampering(
      "insert into runs select 77, 'x', experiment_id, name, user_id, status, start_time, end_time, artifact_uri, deleted, deleted_at, fork_rid, fork_step from runs where rid = 1",
    ),
  ).toEqual(['runs', 'rid=77 is in the target only', false]);
}, 90_000);

it('on the command line: equal is 0, used or damaged is 1, a wrong URL says the form, and a server is in the way', async () => {
  const from = await source();
  const to = target();
  const run = (...args: string[]) => binnacle(['migrate', '--data', join(from, '..'), ...args]);
  const done = await run('--to', `sqlite:${to}`);
  expect(done).toMatchObject({ code: 0 });
  expect(done.stdout).toMatch(/^runs +30 +30 +[0-9a-f]{16} +[0-9a-f]{16} +equal$/m);
  expect(done.stderr).toContain(`binnacle up --data '${join(to, '..')}'`);
  // A folder is a data directory; a file of another name must get that of one.
  const folder = temporaryFolder('folder');
  expect((await run('--to', `sqlite:${folder}`)).code).toBe(0);
  expect(existsSync(join(folder, 'binnacle.db'))).toBe(true);
  expect((await run('--to', `sqlite:${join(folder, 'other.sqlite')}`)).stderr).toContain(
    `mv '${join(folder, 'other.sqlite')}' '${join(folder, 'binnacle.db')}'`,
  );
  sql(to, "update runs set name = 'later' where rid = 3");
  const later = await run('--to', `sqlite:${to}`, '--json');
  expect(later.code).toBe(1);
  expect(later.stderr).toContain('different: runs: rid=3 differs in name');
  expect((JSON.parse(later.stdout) as MoveReport).equal).toBe(false);
  expect(await run()).toMatchObject({ code: 2 });
  expect((await run('--to', 'oracle://x/y')).stderr).toContain('Binnacle knows postgres:// and mysql://');
  expect((await run('--to', `sqlite:${from}`)).stderr).toContain('already');
  const server = await startServer({ data: join(from, '..') });
  expect((await run('--to', `sqlite:${target()}`)).stderr).toContain(`is in use by the Binnacle with process id ${server.pid}`);
  await server.stop();
  const nowhere = temporaryFolder('none');
  const empty = await binnacle(['migrate', '--data', nowhere, '--to', `sqlite:${target()}`]);
  expect(empty.stderr).toContain('There is no database');
  expect(existsSync(join(nowhere, 'binnacle.db'))).toBe(false);
}, 90_000);
