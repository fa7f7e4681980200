import type { InsertObject, Kysely } from 'kysely';
import { capabilitiesOf } from './capabilities.ts';
import type { Database } from './schema/index.ts';

/** Inserts a row and tells the id that the database gave it, from whichever of the two ways the engine has. */
export async function insertForId<T extends keyof Database>(
  db: Kysely<Database>,
  table: T,
  values: InsertObject<Database, T>,
  idColumn = 'id',
): Promise<number> {
  const insert = db.insertInto(table).values(values);
  if (!capabilitiesOf(db).insertReturning) return Number((await insert.executeTakeFirstOrThrow()).insertId);
  const row = (await insert.returning(idColumn as never).executeTakeFirstOrThrow()) as Record<string, unknown>;
  return Number(row[idColumn]);
}

/** Inserts a row under an id of the caller's; ids that the database gives later come after it. */
export async function insertWithId<T extends keyof Database>(
  db: Kysely<Database>,
  table: T,
  values: InsertObject<Database, T> & { id: number },
): Promise<number> {
  await db.insertInto(table).values(values).execute();
  await capabilitiesOf(db).moveCounter?.(table, values.id).execute(db);
  return values.id;
}
