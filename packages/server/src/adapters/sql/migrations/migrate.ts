import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { conflict, internal, messageOf } from '../../../kernel/index.ts';
import { capabilitiesOf } from '../capabilities.ts';
import type { Database } from '../schema/index.ts';
import { migrations } from './index.ts';
import { MOVE_TABLE, readMove } from './move.ts';
import { tableNames } from './portable.ts';

export interface MigrateOptions {
  /** Also one that `binnacle migrate` has not finished filling. */
  unfinished?: boolean;
}

/** Names of migrations that have begun, where a crash leaves half of one behind. */
const BEGUN = 'binnacle_schema_begun';

/** Brings a database to the newest schema. One that a newer Binnacle wrote is refused. `place` names it in the error. */
export async function migrate(db: Kysely<Database>, place: string, options: MigrateOptions = {}): Promise<void> {
  const tables = await tableNames(db);
  if (options.unfinished !== true && tables.includes(MOVE_TABLE)) await refuseUnfinished(db, place);
  if (tables.includes('kysely_migration')) {
    const names = await executed(db);
    const unknown = names.filter((name) => !(name in migrations));
    if (unknown.length > 0)
      throw internal(
        'schema_newer',
        `The database ${place} was written by a newer Binnacle (migrations ${unknown.join(', ')}). Install that version, or use another data directory.`,
      );
    if (names.length === Object.keys(migrations).length) return;
  }
  const transactional = db.getExecutor().adapter.supportsTransactionalDdl;
  const steps = transactional ? migrations : Object.fromEntries(Object.entries(migrations).map(([name, step]) => [name, repeatable(name, step)]));
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => steps } }).migrateToLatest();
  if (error !== undefined) throw capabilitiesOf(db).isAlreadyThere(error) ? notOurs(place, error) : error;
  if (!transactional) await sql`drop table if exists ${sql.table(BEGUN)}`.execute(db);
}

const notOurs = (place: string, cause: unknown) =>
  conflict(
    'database_not_empty',
    `The database ${place} has tables of somebody else with the names of Binnacle's (${messageOf(cause)}). Give it a database of its own.`,
    { cause },
  );

/** The names of the migrations that a database has seen. */
async function executed(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  return rows.map(({ name }) => name);
}

async function refuseUnfinished(db: Kysely<Database>, place: string): Promise<void> {
  const move = await readMove(db);
  if (move === null || move.finishedAt !== null) return;
  throw conflict(
    'migration_unfinished',
    `The database ${place} is half filled by a binnacle migrate from ${move.from} that was interrupted. Run that once more, and it goes on; or empty the database.`,
  );
}

/**
 * Where each statement of a schema is a transaction of its own, a crash leaves half a migration. That it has begun is noted before, and one that
 * began already runs again over what it finds: each of its statements was done whole or not at all, so those that are done are passed over.
 */
function repeatable(name: string, { up }: Migration): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await sql`create table if not exists ${sql.table(BEGUN)} (name varchar(100) primary key)`.execute(db);
      const { rows } = await sql`select name from ${sql.table(BEGUN)} where name = ${name}`.execute(db);
      if (rows.length === 0) {
        await sql`insert into ${sql.table(BEGUN)} (name) values (${name})`.execute(db);
        return await up(db).catch(async (error: unknown) => {
          // What is in the way is not of this migration, which must not pass over it the next time.
          if (capabilitiesOf(db).isAlreadyThere(error)) await sql`delete from ${sql.table(BEGUN)} where name = ${name}`.execute(db);
          throw error;
        });
      }
      await capabilitiesOf(db).passingOverDone(() => up(db));
    },
  };
}
