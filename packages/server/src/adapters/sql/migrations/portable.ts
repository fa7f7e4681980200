import { type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely';
import { capabilitiesOf } from '../capabilities.ts';

/** The type of a column of bytes up to 16 MB. */
export const blobType = (db: Kysely<unknown>): RawBuilder<unknown> => capabilitiesOf(db).types.blob();

/** The type of a 64-bit float. */
export const doubleType = (db: Kysely<unknown>): RawBuilder<unknown> => capabilitiesOf(db).types.double();

/** SQLite stores a table by its primary key only when told so; the others do, or cannot. */
export const byPrimaryKey =
  (db: Kysely<unknown>) =>
  <B extends CreateTableBuilder<string, string>>(builder: B): B =>
    (capabilitiesOf(db).withoutRowid ? builder.modifyEnd(sql`without rowid`) : builder) as B;

/** Every table, Kysely's and our own for housekeeping among them. */
export async function tableNames<DB>(db: Kysely<DB>): Promise<string[]> {
  return (await db.introspection.getTables({ withInternalKyselyTables: true })).map(({ name }) => name);
}
