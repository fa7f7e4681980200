import type { Kysely } from 'kysely';

/** Registered models, their versions, tags, aliases, gate policies and gate reports. Keyed by an id, so that renaming a model touches one row. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('registered_models')
    .addColumn('id', 'varchar(32)', (c) => c.primaryKey())
    .addColumn('name', 'varchar(256)', (c) => c.notNull().unique())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('last_version', 'integer', (c) => c.notNull())
    .addColumn('gate_policy', 'text')
    .execute();
  await db.schema
    .createTable('registered_model_tags')
    .addColumn('model_id', 'varchar(32)', (c) => c.notNull())
    .addColumn('tag_key', 'varchar(250)', (c) => c.notNull())
    .addColumn('tag_value', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_registered_model_tags', ['model_id', 'tag_key'])
    .execute();
  await db.schema.createIndex('ix_registered_model_tags_key').on('registered_model_tags').columns(['tag_key', 'model_id']).execute();
  await db.schema
    .createTable('registered_model_aliases')
    .addColumn('model_id', 'varchar(32)', (c) => c.notNull())
    .addColumn('alias', 'varchar(255)', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_registered_model_aliases', ['model_id', 'alias'])
    .execute();
  await db.schema
    .createTable('model_versions')
    .addColumn('model_id', 'varchar(32)', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('stage', 'varchar(20)', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('storage_uri', 'text', (c) => c.notNull())
    .addColumn('run_id', 'varchar(255)')
    .addColumn('run_link', 'text')
    .addColumn('logged_model_id', 'varchar(64)')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('storage_path', 'text')
    .addColumn('graph_path', 'text')
    .addColumn('graph_sha256', 'varchar(64)')
    .addColumn('derived_path', 'text')
    .addColumn('size_bytes', 'bigint')
    .addColumn('servable', 'integer', (c) => c.notNull())
    .addColumn('status_message', 'text', (c) => c.notNull())
    .addColumn('facts', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_model_versions', ['model_id', 'version'])
    .execute();
  await db.schema.createIndex('ix_model_versions_run').on('model_versions').columns(['run_id']).execute();
  await db.schema.createIndex('ix_model_versions_updated').on('model_versions').columns(['updated_at']).execute();
  await db.schema
    .createTable('model_version_tags')
    .addColumn('model_id', 'varchar(32)', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('tag_key', 'varchar(250)', (c) => c.notNull())
    .addColumn('tag_value', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('pk_model_version_tags', ['model_id', 'version', 'tag_key'])
    .execute();
  await db.schema.createIndex('ix_model_version_tags_key').on('model_version_tags').columns(['tag_key', 'model_id', 'version']).execute();
  await db.schema
    .createTable('gate_reports')
    .addColumn('id', 'varchar(32)', (c) => c.primaryKey())
    .addColumn('model_id', 'varchar(32)', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('alias', 'varchar(255)')
    .addColumn('passed', 'integer', (c) => c.notNull())
    .addColumn('forced', 'integer', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('results', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('ix_gate_reports_version').on('gate_reports').columns(['model_id', 'version', 'created_at']).execute();
}
