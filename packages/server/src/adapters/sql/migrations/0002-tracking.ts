import { type Kysely, sql } from 'kysely';
import { blobType, byPrimaryKey, doubleType } from './portable.ts';

/** Experiments, runs with params, tags and metric series, datasets, logged models. Experiment 0, Default, exists from the start. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await experiments(db);
  await runs(db);
  await series(db);
  await datasets(db);
  await loggedModels(db);
}

async function experiments(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('experiments')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('name', 'varchar(500)', (c) => c.notNull().unique())
    .addColumn('artifact_location', 'text', (c) => c.notNull())
    .addColumn('deleted', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('experiment_tags')
    .addColumn('experiment_id', 'integer', (c) => c.notNull())
    .addColumn('tag_key', 'varchar(250)', (c) => c.notNull())
    .addColumn('tag_value', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_experiment_tags', ['experiment_id', 'tag_key'])
    .$call(byPrimaryKey(db))
    .execute();
  const now = Date.now();
  await sql`insert into experiments (id, name, artifact_location, deleted, created_at, updated_at) values (0, 'Default', 'mlflow-artifacts:/0', 0, ${now}, ${now})`.execute(
    db,
  );
}

async function runs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('runs')
    .addColumn('rid', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('run_id', 'varchar(64)', (c) => c.notNull().unique())
    .addColumn('experiment_id', 'integer', (c) => c.notNull())
    .addColumn('name', 'varchar(8000)', (c) => c.notNull())
    .addColumn('user_id', 'varchar(256)', (c) => c.notNull())
    .addColumn('status', 'varchar(16)', (c) => c.notNull())
    .addColumn('start_time', 'bigint', (c) => c.notNull())
    .addColumn('end_time', 'bigint')
    .addColumn('artifact_uri', 'text', (c) => c.notNull())
    .addColumn('deleted', 'integer', (c) => c.notNull())
    .addColumn('deleted_at', 'bigint')
    .execute();
  await db.schema.createIndex('ix_runs_order').on('runs').columns(['experiment_id', 'deleted', 'start_time desc', 'run_id']).execute();
  await db.schema
    .createTable('run_keys')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('experiment_id', 'integer', (c) => c.notNull())
    .addColumn('kind', 'integer', (c) => c.notNull())
    .addColumn('name', 'varchar(250)', (c) => c.notNull())
    .addUniqueConstraint('uq_run_keys', ['experiment_id', 'kind', 'name'])
    .execute();
  for (const table of ['run_params', 'run_tags']) {
    await db.schema
      .createTable(table)
      .addColumn('rid', 'integer', (c) => c.notNull())
      .addColumn('key_id', 'integer', (c) => c.notNull())
      .addColumn('head', 'varchar(250)', (c) => c.notNull())
      .addColumn('rest', 'text')
      .addPrimaryKeyConstraint(`pk_${table}`, ['rid', 'key_id'])
      .$call(byPrimaryKey(db))
      .execute();
    await db.schema.createIndex(`ix_${table}_value`).on(table).columns(['key_id', 'head', 'rid']).execute();
  }
}

async function series(db: Kysely<unknown>): Promise<void> {
  const double = doubleType(db);
  const blob = blobType(db);
  await db.schema
    .createTable('latest_metrics')
    .addColumn('rid', 'integer', (c) => c.notNull())
    .addColumn('key_id', 'integer', (c) => c.notNull())
    .addColumn('value', double as never)
    .addColumn('infinite', 'integer', (c) => c.notNull())
    .addColumn('step', 'bigint', (c) => c.notNull())
    .addColumn('timestamp', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_latest_metrics', ['rid', 'key_id'])
    .$call(byPrimaryKey(db))
    .execute();
  await db.schema.createIndex('ix_latest_metrics_value').on('latest_metrics').columns(['key_id', 'value', 'rid']).execute();
  await db.schema
    .createTable('metric_series')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('rid', 'integer', (c) => c.notNull())
    .addColumn('key_id', 'integer', (c) => c.notNull())
    .addColumn('variant', 'varchar(40)', (c) => c.notNull())
    .addColumn('model_id', 'varchar(64)')
    .addColumn('dataset_name', 'varchar(500)')
    .addColumn('dataset_digest', 'varchar(64)')
    .addColumn('points', 'integer', (c) => c.notNull())
    .addColumn('min_value', double as never)
    .addColumn('max_value', double as never)
    .addColumn('min_step', 'bigint', (c) => c.notNull())
    .addColumn('max_step', 'bigint', (c) => c.notNull())
    .addColumn('min_timestamp', 'bigint', (c) => c.notNull())
    .addColumn('max_timestamp', 'bigint', (c) => c.notNull())
    .addColumn('last_step', 'bigint', (c) => c.notNull())
    .addColumn('last_timestamp', 'bigint', (c) => c.notNull())
    .addColumn('last_value', blob as never, (c) => c.notNull())
    .addColumn('chunks', 'integer', (c) => c.notNull())
    .addColumn('tail_points', 'integer', (c) => c.notNull())
    .addColumn('tail', blob as never, (c) => c.notNull())
    .addUniqueConstraint('uq_metric_series', ['rid', 'key_id', 'variant'])
    .execute();
  await db.schema
    .createTable('metric_chunks')
    .addColumn('series_id', 'integer', (c) => c.notNull())
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('points', 'integer', (c) => c.notNull())
    .addColumn('min_value', double as never)
    .addColumn('max_value', double as never)
    .addColumn('min_step', 'bigint', (c) => c.notNull())
    .addColumn('max_step', 'bigint', (c) => c.notNull())
    .addColumn('min_timestamp', 'bigint', (c) => c.notNull())
    .addColumn('max_timestamp', 'bigint', (c) => c.notNull())
    .addColumn('last_timestamp', 'bigint', (c) => c.notNull())
    .addColumn('last_value', blob as never, (c) => c.notNull())
    .addColumn('data', blob as never, (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_metric_chunks', ['series_id', 'seq'])
    .execute();
}

async function datasets(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('datasets')
    .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('experiment_id', 'integer', (c) => c.notNull())
    .addColumn('name', 'varchar(500)', (c) => c.notNull())
    .addColumn('digest', 'varchar(36)', (c) => c.notNull())
    .addColumn('source_type', 'varchar(250)', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('schema_text', 'text')
    .addColumn('profile', 'text')
    .addUniqueConstraint('uq_datasets', ['experiment_id', 'name', 'digest'])
    .execute();
  await db.schema
    .createTable('run_datasets')
    .addColumn('rid', 'integer', (c) => c.notNull())
    .addColumn('dataset_id', 'integer', (c) => c.notNull())
    .addColumn('context', 'varchar(500)')
    .addColumn('tags', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_run_datasets', ['rid', 'dataset_id'])
    .$call(byPrimaryKey(db))
    .execute();
  await db.schema.createIndex('ix_run_datasets_dataset').on('run_datasets').columns(['dataset_id', 'rid']).execute();
  await db.schema
    .createTable('run_models')
    .addColumn('rid', 'integer', (c) => c.notNull())
    .addColumn('model_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('direction', 'integer', (c) => c.notNull())
    .addColumn('step', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_run_models', ['rid', 'direction', 'model_id', 'step'])
    .$call(byPrimaryKey(db))
    .execute();
  await db.schema.createIndex('ix_run_models_model').on('run_models').columns(['model_id', 'rid']).execute();
}

async function loggedModels(db: Kysely<unknown>): Promise<void> {
  const double = doubleType(db);
  await db.schema
    .createTable('logged_models')
    .addColumn('model_id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('experiment_id', 'integer', (c) => c.notNull())
    .addColumn('name', 'varchar(500)', (c) => c.notNull())
    .addColumn('artifact_uri', 'text', (c) => c.notNull())
    .addColumn('status', 'integer', (c) => c.notNull())
    .addColumn('status_message', 'text')
    .addColumn('model_type', 'varchar(500)', (c) => c.notNull())
    .addColumn('source_run_id', 'varchar(256)', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('deleted', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('ix_logged_models_order').on('logged_models').columns(['experiment_id', 'deleted', 'created_at desc', 'model_id']).execute();
  await db.schema.createIndex('ix_logged_models_run').on('logged_models').columns(['source_run_id']).execute();
  for (const table of ['logged_model_params', 'logged_model_tags']) {
    await db.schema
      .createTable(table)
      .addColumn('model_id', 'varchar(64)', (c) => c.notNull())
      .addColumn('text_key', 'varchar(255)', (c) => c.notNull())
      .addColumn('head', 'varchar(250)', (c) => c.notNull())
      .addColumn('rest', 'text')
      .addPrimaryKeyConstraint(`pk_${table}`, ['model_id', 'text_key'])
      .$call(byPrimaryKey(db))
      .execute();
    await db.schema.createIndex(`ix_${table}_value`).on(table).columns(['text_key', 'head', 'model_id']).execute();
  }
  await db.schema
    .createTable('logged_model_metrics')
    .addColumn('model_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('series_id', 'integer', (c) => c.notNull())
    .addColumn('metric_key', 'varchar(250)', (c) => c.notNull())
    .addColumn('dataset_name', 'varchar(500)')
    .addColumn('dataset_digest', 'varchar(64)')
    .addColumn('run_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('value', double as never)
    .addColumn('infinite', 'integer', (c) => c.notNull())
    .addColumn('min_value', double as never)
    .addColumn('max_value', double as never)
    .addColumn('step', 'bigint', (c) => c.notNull())
    .addColumn('timestamp', 'bigint', (c) => c.notNull())
    .addColumn('points', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_logged_model_metrics', ['model_id', 'series_id'])
    .$call(byPrimaryKey(db))
    .execute();
  await db.schema.createIndex('ix_logged_model_metrics_value').on('logged_model_metrics').columns(['metric_key', 'value', 'model_id']).execute();
}
