import type { Kysely } from 'kysely';

/** Endpoints and their traffic. Keyed by name: an endpoint is addressed by it and never renamed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('endpoints')
    .addColumn('name', 'varchar(128)', (c) => c.primaryKey())
    .addColumn('model', 'varchar(256)', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('traffic', 'text', (c) => c.notNull())
    .addColumn('last_served', 'text', (c) => c.notNull())
    .addColumn('revision', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('ix_endpoints_model').on('endpoints').columns(['model']).execute();
}
