import type { Kysely } from 'kysely';

/** What was imported, and what it was like then. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('import_marks')
    .addColumn('kind', 'varchar(16)', (c) => c.notNull())
    .addColumn('entity', 'varchar(300)', (c) => c.notNull())
    .addColumn('target', 'varchar(64)')
    .addColumn('digest', 'varchar(64)')
    .addColumn('fields', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_import_marks', ['kind', 'entity'])
    .execute();
}
