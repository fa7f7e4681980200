import { type Kysely, sql } from 'kysely';
import type { MoveMark } from '../../../upkeep/index.ts';
import { tableNames } from './portable.ts';

/** One row: what is being moved into this database, or was. Not a migration: it is there before the schema is. */
export const MOVE_TABLE = 'binnacle_move';

interface MoveRow {
  source: string;
  origin: string;
  started_at: number;
  finished_at: number | null;
}

export async function readMove<DB>(db: Kysely<DB>): Promise<MoveMark | null> {
  if (!(await tableNames(db)).includes(MOVE_TABLE)) return null;
  const { rows } = await sql<MoveRow>`select * from ${sql.table(MOVE_TABLE)}`.execute(db);
  const row = rows[0];
  if (row === undefined) return null;
  return {
    source: row.source,
    from: row.origin,
    startedAt: Number(row.started_at),
    finishedAt: row.finished_at === null ? null : Number(row.finished_at),
  };
}

export async function writeMove<DB>(db: Kysely<DB>, mark: MoveMark): Promise<void> {
  await db.schema
    .createTable(MOVE_TABLE)
    .ifNotExists()
    .addColumn('source', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('origin', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('finished_at', 'bigint')
    .execute();
  await sql`delete from ${sql.table(MOVE_TABLE)} where source = ${mark.source}`.execute(db);
  await sql`insert into ${sql.table(MOVE_TABLE)} (source, origin, started_at, finished_at) values (${mark.source}, ${mark.from}, ${mark.startedAt}, ${mark.finishedAt})`.execute(
    db,
  );
}
