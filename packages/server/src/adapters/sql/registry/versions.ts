import type { ModelVersionTable } from '../schema/registry.ts';
import type { NewVersion, PackageFacts, Stage, VersionRecord } from '../../../registry/index.ts';
import { invalid } from '../../../kernel/index.ts';
import type { StoreContext } from '../engine.ts';
import { chunks, type Db, factColumns, needModel, needVersion, type VersionRow, versionRecords, versionRows } from './rows.ts';

/** One row is given, so one record comes back. */
async function record(db: Db, row: VersionRow): Promise<VersionRecord> {
  const [one] = await versionRecords(db, [row]);
  return one as VersionRecord;
}

export async function createVersion(ctx: StoreContext, version: NewVersion): Promise<VersionRecord> {
  const { db } = ctx;
  const model = await needModel(db, version.model);
  const number = model.last_version + 1;
  const now = ctx.now();
  const row: ModelVersionTable = {
    model_id: model.id,
    version: number,
    description: version.description,
    stage: 'None',
    source: version.source,
    storage_uri: version.storageUri,
    run_id: version.runId,
    run_link: version.runLink,
    logged_model_id: version.loggedModelId,
    created_at: now,
    updated_at: now,
    ...factColumns(version.facts),
  };
  await db.insertInto('model_versions').values(row).execute();
  await db.updateTable('registered_models').set({ last_version: number, updated_at: now }).where('id', '=', model.id).execute();
  await setVersionTags(db, model.id, number, version.tags);
  await ctx.emit({ type: 'model-version.created', payload: { model: model.name, version: number, runId: version.runId } });
  return record(db, { ...row, name: model.name });
}

export async function findVersion(db: Db, name: string, version: number): Promise<VersionRecord | undefined> {
  const row = await versionRows(db).where('registered_models.name', '=', name).where('model_versions.version', '=', version).executeTakeFirst();
  return row === undefined ? undefined : record(db, row);
}

export async function updateVersion(
  ctx: StoreContext,
  name: string,
  version: number,
  change: { description?: string; tags?: Record<string, string>; facts?: PackageFacts },
): Promise<VersionRecord> {
  const { db } = ctx;
  const row = await needVersion(db, name, version);
  // What the server found out is no change of the user's: the time of the last update stays.
  const update = {
    ...(change.description === undefined ? {} : { description: change.description, updated_at: ctx.now() }),
    ...(change.facts === undefined ? {} : factColumns(change.facts)),
  };
  if (Object.keys(update).length > 0)
    await db.updateTable('model_versions').set(update).where('model_id', '=', row.model_id).where('version', '=', version).execute();
  await setVersionTags(db, row.model_id, version, change.tags ?? {});
  return record(db, { ...row, ...update });
}

export async function deleteVersionTag(db: Db, name: string, version: number, key: string): Promise<void> {
  const row = await needVersion(db, name, version);
  await db.deleteFrom('model_version_tags').where('model_id', '=', row.model_id).where('version', '=', version).where('tag_key', '=', key).execute();
}

export async function transitionStage(ctx: StoreContext, name: string, version: number, stage: Stage, archiveOthers: boolean): Promise<VersionRecord> {
  const { db } = ctx;
  const row = await needVersion(db, name, version);
  const now = ctx.now();
  if (archiveOthers)
    await db
      .updateTable('model_versions')
      .set({ stage: 'Archived', updated_at: now })
      .where('model_id', '=', row.model_id)
      .where('version', '!=', version)
      .where('stage', '=', stage)
      .execute();
  await db.updateTable('model_versions').set({ stage, updated_at: now }).where('model_id', '=', row.model_id).where('version', '=', version).execute();
  await db.updateTable('registered_models').set({ updated_at: now }).where('id', '=', row.model_id).execute();
  return record(db, { ...row, stage, updated_at: now });
}

export async function deleteVersion(ctx: StoreContext, name: string, version: number): Promise<VersionRecord> {
  const { db } = ctx;
  const row = await needVersion(db, name, version);
  const deleted = await record(db, row);
  for (const table of ['model_versions', 'model_version_tags', 'registered_model_aliases', 'gate_reports'] as const)
    await db.deleteFrom(table).where('model_id', '=', row.model_id).where('version', '=', version).execute();
  await db.updateTable('registered_models').set({ updated_at: ctx.now() }).where('id', '=', row.model_id).execute();
  for (const alias of deleted.aliases)
    await ctx.emit({ type: 'alias.moved', payload: { model: name, alias, version: null, previous: version, forced: false } });
  await ctx.emit({ type: 'model-version.deleted', payload: { model: name, version } });
  return deleted;
}

export async function usedPaths(db: Db, storagePaths: string[]): Promise<string[]> {
  const used: string[] = [];
  for (const part of chunks(storagePaths)) {
    const rows = await db.selectFrom('model_versions').select('storage_path').distinct().where('storage_path', 'in', part).execute();
    for (const { storage_path } of rows) if (storage_path !== null) used.push(storage_path);
  }
  return used;
}

export async function latestVersions(db: Db, names: string[], stages: Stage[]): Promise<Record<string, VersionRecord[]>> {
  const result: Record<string, VersionRecord[]> = Object.fromEntries(names.map((name) => [name, []]));
  if (names.length === 0) return result;
  if (names.length > 1000) throw invalid('too_many_models', 'At most 1000 models at once.');
  const newest = db
    .selectFrom('model_versions')
    .innerJoin('registered_models', 'registered_models.id', 'model_versions.model_id')
    .select(({ fn }) => ['model_versions.model_id as model_id', 'model_versions.stage as stage', fn.max('model_versions.version').as('version')])
    .where('registered_models.name', 'in', names)
    .groupBy(['model_versions.model_id', 'model_versions.stage']);
  const rows = await versionRows(db)
    .innerJoin(newest.as('newest'), (join) =>
      join.onRef('newest.model_id', '=', 'model_versions.model_id').onRef('newest.version', '=', 'model_versions.version'),
    )
    .orderBy('model_versions.version')
    .execute();
  const wanted = new Set<string>(stages);
  for (const version of await versionRecords(db, wanted.size === 0 ? rows : rows.filter((row) => wanted.has(row.stage)))) result[version.model]?.push(version);
  return result;
}

export async function setVersionTags(db: Db, modelId: string, version: number, tags: Record<string, string>): Promise<void> {
  for (const [key, value] of Object.entries(tags)) {
    await db.deleteFrom('model_version_tags').where('model_id', '=', modelId).where('version', '=', version).where('tag_key', '=', key).execute();
    await db.insertInto('model_version_tags').values({ model_id: modelId, version, tag_key: key, tag_value: value }).execute();
  }
}
