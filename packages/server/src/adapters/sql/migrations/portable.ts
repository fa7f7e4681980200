import { type CreateTableBuilder, type Kysely, MysqlAdapter, type RawBuilder, SqliteAdapter, sql } from 'kysely';

const adapter = (db: Kysely<unknown>) => db.getExecutor().adapter;

/** The type of a column of bytes up to 16 MB. */
export function blobType(db: Kysely<unknown>): RawBuilder<unknown> {
  if (adapter(db) instanceof SqliteAdapter) return sql`blob`;
  return adapter(db) instanceof MysqlAdapter ? sql`longblob` : sql`bytea`;
}

/** The type of a 64-bit float. */
export const doubleType = (db: Kysely<unknown>): RawBuilder<unknown> => (adapter(db) instanceof SqliteAdapter ? sql`real` : sql`double precision`);

/** SQLite stores a table by its primary key only when told so; the others do, or cannot. */
export const byPrimaryKey =
  (db: Kysely<unknown>) =>
  <B extends CreateTableBuilder<string, string>>(builder: B): B =>
    (adapter(db) instanceof SqliteAdapter ? builder.modifyEnd(sql`without rowid`) : builder) as B;
