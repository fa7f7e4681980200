import type { Kysely } from 'kysely';

/** What an endpoint served since when, and why it changed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('endpoint_changes')
    .addColumn('endpoint', 'varchar(128)', (c) => c.notNull())
    .addColumn('revision', 'integer', (c) => c.notNull())
    .addColumn('kind', 'varchar(16)', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('traffic', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_endpoint_changes', ['endpoint', 'revision'])
    .execute();
}
