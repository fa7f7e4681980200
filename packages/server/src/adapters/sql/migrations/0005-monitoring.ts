import type { Kysely } from 'kysely';
import { blobType, byPrimaryKey, doubleType } from './portable.ts';

/** Monitors, buckets of event time with their sketches, training profiles, alarms, the manifest of the prediction log. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const [blob, double] = [blobType(db), doubleType(db)];
  await db.schema
    .createTable('monitors')
    .addColumn('endpoint', 'varchar(255)', (c) => c.primaryKey())
    .addColumn('model', 'varchar(255)', (c) => c.notNull())
    .addColumn('config', 'text')
    .addColumn('predictions', 'bigint', (c) => c.notNull())
    .addColumn('errors', 'bigint', (c) => c.notNull())
    .addColumn('labelled', 'bigint', (c) => c.notNull())
    .addColumn('dropped', 'bigint', (c) => c.notNull())
    .addColumn('lost', 'bigint', (c) => c.notNull())
    .addColumn('first_at', 'bigint')
    .addColumn('last_at', 'bigint')
    .addColumn('watermark', 'bigint')
    .addColumn('last_received_at', 'bigint')
    .execute();
  await db.schema
    .createTable('monitor_buckets')
    .addColumn('endpoint', 'varchar(255)', (c) => c.notNull())
    .addColumn('model', 'varchar(255)', (c) => c.notNull())
    .addColumn('level', 'integer', (c) => c.notNull())
    .addColumn('start', 'bigint', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('source', 'varchar(16)', (c) => c.notNull())
    .addColumn('requests', 'bigint', (c) => c.notNull())
    .addColumn('predictions', 'bigint', (c) => c.notNull())
    .addColumn('profiled', 'bigint', (c) => c.notNull())
    .addColumn('errors', 'bigint', (c) => c.notNull())
    .addColumn('score_sum', double as never, (c) => c.notNull())
    .addColumn('score_count', 'bigint', (c) => c.notNull())
    .addColumn('prediction_sum', double as never, (c) => c.notNull())
    .addColumn('prediction_count', 'bigint', (c) => c.notNull())
    .addColumn('latency', blob as never)
    .addColumn('profile', blob as never)
    .addPrimaryKeyConstraint('monitor_buckets_pk', ['endpoint', 'level', 'start', 'version', 'source', 'model'])
    .execute();
  await byPrimaryKey(db)(db.schema.createTable('training_profiles'))
    .addColumn('model', 'varchar(255)', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('package_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('source', 'varchar(32)', (c) => c.notNull())
    .addColumn('profile', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('training_profiles_pk', ['model', 'version'])
    .execute();
  await db.schema
    .createTable('alarms')
    .addColumn('id', 'varchar(32)', (c) => c.primaryKey())
    .addColumn('endpoint', 'varchar(255)', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('kind', 'varchar(32)', (c) => c.notNull())
    .addColumn('feature', 'text')
    .addColumn('state', 'varchar(16)', (c) => c.notNull())
    .addColumn('severity', 'varchar(16)', (c) => c.notNull())
    .addColumn('message', 'text', (c) => c.notNull())
    .addColumn('first_window', 'bigint', (c) => c.notNull())
    .addColumn('last_window', 'bigint', (c) => c.notNull())
    .addColumn('raised_at', 'bigint', (c) => c.notNull())
    .addColumn('closed_at', 'bigint')
    .addColumn('value', double as never, (c) => c.notNull())
    .addColumn('threshold', double as never, (c) => c.notNull())
    .execute();
  await db.schema.createIndex('alarms_by_endpoint').on('alarms').columns(['endpoint', 'raised_at']).execute();
  await db.schema
    .createTable('log_segments')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('kind', 'varchar(16)', (c) => c.notNull())
    .addColumn('path', 'varchar(255)', (c) => c.notNull())
    .addColumn('row_count', 'bigint', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('min_ts', 'bigint', (c) => c.notNull())
    .addColumn('max_ts', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('intake_marks')
    .addColumn('session', 'varchar(32)', (c) => c.notNull())
    .addColumn('endpoint', 'varchar(255)', (c) => c.notNull())
    .addColumn('recorded', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('intake_marks_pk', ['session', 'endpoint'])
    .execute();
}
