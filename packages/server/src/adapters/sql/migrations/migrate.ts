import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { internal } from '../../../kernel/index.ts';
import type { Database } from '../schema/index.ts';
import { migrations } from './index.ts';

/** Brings a database to the newest schema. One that a newer Binnacle wrote is refused. `place` names it in the error. */
export async function migrate(db: Kysely<Database>, place: string): Promise<void> {
  const done = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (done.some((table) => table.name === 'kysely_migration')) {
    const names = (await db
      .selectFrom('kysely_migration' as never)
      .select('name' as never)
      .execute()) as { name: string }[];
    const unknown = names.filter(({ name }) => !(name in migrations)).map(({ name }) => name);
    if (unknown.length > 0)
      throw internal(
        'schema_newer',
        `The database ${place} was written by a newer Binnacle (migrations ${unknown.join(', ')}). Install that version, or use another data directory.`,
      );
    if (names.length === Object.keys(migrations).length) return;
  }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
