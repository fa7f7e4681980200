import type { Kysely } from 'kysely';

/** How an endpoint runs what it serves, and whether it was unloaded by request. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('endpoints').addColumn('config', 'text').execute();
  await db.schema.alterTable('endpoints').addColumn('suspended', 'integer').execute();
}
