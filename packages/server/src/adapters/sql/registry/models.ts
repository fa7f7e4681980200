import { conflict, newId } from '../../../kernel/index.ts';
import type { ModelRecord, VersionRecord } from '../../../registry/index.ts';
import type { StoreContext } from '../engine.ts';
import { type Db, modelRecords, type ModelRow, needModel, versionRecords, versionRows } from './rows.ts';

async function record(db: Db, row: ModelRow): Promise<ModelRecord> {
  const [one] = await modelRecords(db, [row]);
  return one as ModelRecord;
}

const exists = (name: string) => conflict('registered_model_exists', `Registered Model (name=${name}) already exists.`, { details: { model: name } });

export async function createModel(ctx: StoreContext, model: { name: string; description: string; tags: Record<string, string> }): Promise<ModelRecord> {
  const { db } = ctx;
  const now = ctx.now();
  const taken = await db.selectFrom('registered_models').select('id').where('name', '=', model.name).executeTakeFirst();
  if (taken !== undefined) throw exists(model.name);
  const row: ModelRow = { id: newId(), name: model.name, description: model.description, created_at: now, updated_at: now, last_version: 0, gate_policy: null };
  await db.insertInto('registered_models').values(row).execute();
  await setModelTags(db, row.id, model.tags);
  return record(db, row);
}

export async function findModel(db: Db, name: string): Promise<ModelRecord | undefined> {
  const row = await db.selectFrom('registered_models').selectAll().where('name', '=', name).executeTakeFirst();
  return row === undefined ? undefined : record(db, row);
}

export async function updateModel(ctx: StoreContext, name: string, change: { description?: string; tags?: Record<string, string> }): Promise<ModelRecord> {
  const { db } = ctx;
  const row = await needModel(db, name);
  const update = change.description === undefined ? {} : { description: change.description, updated_at: ctx.now() };
  if (change.description !== undefined) await db.updateTable('registered_models').set(update).where('id', '=', row.id).execute();
  await setModelTags(db, row.id, change.tags ?? {});
  return record(db, { ...row, ...update });
}

export async function renameModel(ctx: StoreContext, name: string, newName: string): Promise<ModelRecord> {
  const { db } = ctx;
  const row = await needModel(db, name);
  const update = { name: newName, updated_at: ctx.now() };
  if (name !== newName) {
    const taken = await db.selectFrom('registered_models').select('id').where('name', '=', newName).executeTakeFirst();
    if (taken !== undefined) throw exists(newName);
    await db.updateTable('model_versions').set({ updated_at: update.updated_at }).where('model_id', '=', row.id).execute();
  }
  await db.updateTable('registered_models').set(update).where('id', '=', row.id).execute();
  return record(db, { ...row, ...update });
}

export async function deleteModel(ctx: StoreContext, name: string): Promise<VersionRecord[]> {
  const { db } = ctx;
  const row = await needModel(db, name);
  const versions = await versionRecords(db, await versionRows(db).where('model_versions.model_id', '=', row.id).execute());
  for (const table of ['model_versions', 'model_version_tags', 'registered_model_tags', 'registered_model_aliases', 'gate_reports'] as const)
    await db.deleteFrom(table).where('model_id', '=', row.id).execute();
  await db.deleteFrom('registered_models').where('id', '=', row.id).execute();
  for (const { version, aliases } of versions) {
    for (const alias of aliases) await ctx.emit({ type: 'alias.moved', payload: { model: name, alias, version: null, previous: version, forced: false } });
    await ctx.emit({ type: 'model-version.deleted', payload: { model: name, version } });
  }
  return versions;
}

export async function deleteModelTag(db: Db, name: string, key: string): Promise<void> {
  const row = await needModel(db, name);
  await db.deleteFrom('registered_model_tags').where('model_id', '=', row.id).where('tag_key', '=', key).execute();
}

export async function setModelTags(db: Db, modelId: string, tags: Record<string, string>): Promise<void> {
  for (const [key, value] of Object.entries(tags)) {
    await db.deleteFrom('registered_model_tags').where('model_id', '=', modelId).where('tag_key', '=', key).execute();
    await db.insertInto('registered_model_tags').values({ model_id: modelId, tag_key: key, tag_value: value }).execute();
  }
}
