import type { Kysely } from 'kysely';
import { byPrimaryKey, doubleType } from './portable.ts';

/** Batch jobs and the ledger of the chunks that are on disk. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('batch_jobs')
    .addColumn('id', 'varchar(32)', (c) => c.primaryKey())
    .addColumn('state', 'varchar(16)', (c) => c.notNull())
    .addColumn('model', 'varchar(256)', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('spec', 'text', (c) => c.notNull())
    .addColumn('fingerprint', 'text', (c) => c.notNull())
    .addColumn('output', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('rows_total', 'bigint')
    .addColumn('chunks_total', 'bigint')
    .addColumn('rows_rejected', 'bigint', (c) => c.notNull())
    .addColumn('rows_done', 'bigint', (c) => c.notNull())
    .addColumn('rows_failed', 'bigint', (c) => c.notNull())
    .addColumn('chunks_done', 'bigint', (c) => c.notNull())
    .addColumn('inference_ms', doubleType(db), (c) => c.notNull())
    .addColumn('active_ms', doubleType(db), (c) => c.notNull())
    .addColumn('message', 'text', (c) => c.notNull())
    .addColumn('error', 'text')
    .addColumn('attempt', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('ix_batch_jobs_created').on('batch_jobs').columns(['created_at', 'id']).execute();
  await db.schema.createIndex('ix_batch_jobs_model').on('batch_jobs').columns(['model', 'created_at']).execute();
  await db.schema.createIndex('ix_batch_jobs_state').on('batch_jobs').columns(['state', 'created_at']).execute();
  await db.schema
    .createTable('batch_chunks')
    .addColumn('job_id', 'varchar(32)', (c) => c.notNull())
    .addColumn('chunk', 'bigint', (c) => c.notNull())
    .addColumn('file', 'varchar(255)', (c) => c.notNull())
    .addColumn('rows_written', 'bigint', (c) => c.notNull())
    .addColumn('rows_failed', 'bigint', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('inference_ms', doubleType(db), (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_batch_chunks', ['job_id', 'chunk'])
    .$call(byPrimaryKey(db))
    .execute();
}
