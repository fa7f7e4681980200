import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { notFound } from '../../../kernel/index.ts';
import type { SqlConnection } from '../connection.ts';
import { migrate } from '../migrations/migrate.ts';
import type { Database } from '../schema/index.ts';
import { nodeSqliteDialect } from './dialect.ts';
import { mapSqliteError } from './errors.ts';

/** A database file in this thread, for commands that have nothing else to do. Who may have it open is a matter of its folder's lock. */
export async function connectSqlite(file: string, { create }: { create: boolean }): Promise<SqlConnection> {
  if (!create && !existsSync(file)) throw notFound('database_not_found', `There is no database ${file}.`);
  const translate = (error: unknown) => mapSqliteError(error, file);
  try {
    const raw = new DatabaseSync(file);
    raw.exec(
      'PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864',
    );
    const db = new Kysely<Database>({ dialect: nodeSqliteDialect(raw) });
    return {
      db,
      place: file,
      translate,
      migrate: (options) => migrate(db, file, options),
      enter: async () => ({ lease: async () => true, refusal: undefined, stillAlone: async () => {}, close: async () => {} }),
      close: () => db.destroy(),
    };
  } catch (error) {
    throw translate(error);
  }
}
