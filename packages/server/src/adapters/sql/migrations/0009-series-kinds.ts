import { type Kysely, sql } from 'kysely';
import { capabilitiesOf } from '../capabilities.ts';
import { blobType, byPrimaryKey, doubleType } from './portable.ts';

const STEPS = {
  latest_metrics: ['step'],
  metric_series: ['min_step', 'max_step', 'last_step'],
  metric_chunks: ['min_step', 'max_step'],
  logged_model_metrics: ['step'],
};

/** Steps with fractions; series of strings, histograms and files; runs that are forked from others. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { retyped } = capabilitiesOf(db);
  if (retyped !== null)
    for (const [table, columns] of Object.entries(STEPS))
      await sql`alter table ${sql.table(table)} ${sql.join(columns.map((column) => retyped(column, doubleType(db))))}`.execute(db);
  await db.schema
    .createTable('entry_series')
    .ifNotExists()
    .addColumn('rid', 'integer', (c) => c.notNull())
    .addColumn('key_id', 'integer', (c) => c.notNull())
    .addColumn('kind', 'integer', (c) => c.notNull())
    .addColumn('entries', 'integer', (c) => c.notNull())
    .addColumn('first_step', doubleType(db) as never, (c) => c.notNull())
    .addColumn('last_step', doubleType(db) as never, (c) => c.notNull())
    .addColumn('last_timestamp', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_entry_series', ['rid', 'key_id'])
    .$call(byPrimaryKey(db))
    .execute();
  await db.schema
    .createTable('series_entries')
    .ifNotExists()
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('rid', 'integer', (c) => c.notNull())
    .addColumn('key_id', 'integer', (c) => c.notNull())
    .addColumn('step', doubleType(db) as never, (c) => c.notNull())
    .addColumn('timestamp', 'bigint', (c) => c.notNull())
    .addColumn('digest', 'varchar(22)', (c) => c.notNull())
    .addColumn('size', 'bigint')
    .addColumn('value', blobType(db) as never, (c) => c.notNull())
    .addUniqueConstraint('uq_series_entries', ['rid', 'key_id', 'step', 'timestamp', 'digest'])
    .execute();
  await db.schema.alterTable('runs').addColumn('fork_rid', 'integer').execute();
  await db.schema
    .alterTable('runs')
    .addColumn('fork_step', doubleType(db) as never)
    .execute();
  await db.schema.createIndex('ix_runs_fork').on('runs').columns(['fork_rid']).execute();
}
