import { conflict, newId } from '../../../kernel/index.ts';
import type { ImportedPackage, ModelImport, Stage, VersionImport } from '../../../registry/index.ts';
import type { StoreContext } from '../engine.ts';
import { type Db, factColumns, needModel } from '../registry/rows.ts';
import { setModelTags } from '../registry/models.ts';
import { setVersionTags } from '../registry/versions.ts';
import { applyTags, type Fields, mergeFields, readMark, tagFields, writeMark } from './marks.ts';
import { changedOrNot, removedHere } from './tracking.ts';

const ALIAS = 'alias:';
const versionId = (model: string, version: number): string => `${model}/${version}`;
const recordOf = (tags: { key: string; value: string }[]): Record<string, string> => Object.fromEntries(tags.map(({ key, value }) => [key, value]));

const modelFields = (model: ModelImport): Fields => new Map([['description', model.description], ...tagFields(Object.entries(model.tags))]);

export async function importModel({ db }: StoreContext, model: ModelImport): Promise<ImportedPackage> {
  const mark = await readMark(db, 'model', model.name);
  const fields = modelFields(model);
  const remember = () =>
    writeMark(
      db,
      { kind: 'model', entity: model.name, digest: null, fields, others: [...(mark?.base ?? [])].filter(([name]) => name.startsWith(ALIAS)) },
      mark !== undefined,
    );
  const row = await db.selectFrom('registered_models').selectAll().where('name', '=', model.name).executeTakeFirst();
  if (row === undefined) {
    if (mark !== undefined) return removedHere;
    const id = newId();
    await db
      .insertInto('registered_models')
      .values({
        id,
        name: model.name,
        description: model.description,
        created_at: model.createdAt,
        updated_at: model.updatedAt,
        last_version: model.lastVersion,
        gate_policy: null,
      })
      .execute();
    await setModelTags(db, id, model.tags);
    await remember();
    return { outcome: 'created', kept: [] };
  }
  if (mark === undefined)
    throw conflict(
      'model_not_imported',
      `A registered model ${JSON.stringify(model.name)} is here already, and did not come by an import. It is left as it is: rename one of the two, and import again.`,
    );
  const tags = await db.selectFrom('registered_model_tags').select(['tag_key', 'tag_value']).where('model_id', '=', row.id).execute();
  const here: Fields = new Map([['description', row.description], ...tagFields(tags.map(({ tag_key, tag_value }) => [tag_key, tag_value] as const))]);
  const own = new Map([...mark.base].filter(([name]) => !name.startsWith(ALIAS)));
  const { changes, kept } = mergeFields(own, here, fields);
  const description = changes.get('description');
  const moved = model.lastVersion > row.last_version;
  if (description != null || moved)
    await db
      .updateTable('registered_models')
      .set({ ...(description == null ? {} : { description }), updated_at: model.updatedAt, last_version: Math.max(row.last_version, model.lastVersion) })
      .where('id', '=', row.id)
      .execute();
  await applyTags(changes, {
    remove: (key) => db.deleteFrom('registered_model_tags').where('model_id', '=', row.id).where('tag_key', '=', key).execute(),
    set: (tags) => setModelTags(db, row.id, recordOf(tags)),
  });
  await remember();
  return { outcome: changedOrNot(changes.size > 0 || moved), kept };
}

export async function importedVersion(db: Db, name: string, version: number): Promise<{ withoutFiles: boolean } | undefined> {
  if ((await readMark(db, 'version', versionId(name, version))) === undefined) return undefined;
  const row = await db
    .selectFrom('model_versions as v')
    .innerJoin('registered_models as m', 'm.id', 'v.model_id')
    .select('v.storage_path')
    .where('m.name', '=', name)
    .where('v.version', '=', version)
    .executeTakeFirst();
  return { withoutFiles: row?.storage_path === null };
}

/** Where the files are, and what was found in them. */
const placeColumns = ({ source, storageUri, runId, loggedModelId, facts }: VersionImport) => ({
  source,
  storage_uri: storageUri,
  run_id: runId,
  logged_model_id: loggedModelId,
  ...factColumns(facts),
});

export async function importVersion(ctx: StoreContext, version: VersionImport): Promise<ImportedPackage> {
  const { db } = ctx;
  const entity = versionId(version.model, version.version);
  const mark = await readMark(db, 'version', entity);
  const fields: Fields = new Map([['description', version.description], ['stage', version.stage], ...tagFields(Object.entries(version.tags))]);
  const remember = () => writeMark(db, { kind: 'version', entity, digest: null, fields }, mark !== undefined);
  const model = await db.selectFrom('registered_models').selectAll().where('name', '=', version.model).executeTakeFirst();
  if (model === undefined && mark !== undefined) return removedHere;
  const { id, name } = model ?? (await needModel(db, version.model));
  const row = await db.selectFrom('model_versions').selectAll().where('model_id', '=', id).where('version', '=', version.version).executeTakeFirst();
  if (row === undefined) {
    if (mark !== undefined) return removedHere;
    await db
      .insertInto('model_versions')
      .values({
        model_id: id,
        version: version.version,
        description: version.description,
        stage: version.stage,
        run_link: version.runLink,
        created_at: version.createdAt,
        updated_at: version.updatedAt,
        ...placeColumns(version),
      })
      .execute();
    await db
      .updateTable('registered_models')
      .set({ last_version: Math.max(version.version, model?.last_version ?? 0) })
      .where('id', '=', id)
      .execute();
    await setVersionTags(db, id, version.version, version.tags);
    await remember();
    await ctx.emit({ type: 'model-version.created', payload: { model: name, version: version.version, runId: version.runId } });
    return { outcome: 'created', kept: [] };
  }
  if (mark === undefined)
    throw conflict(
      'version_not_imported',
      `Version ${version.version} of ${JSON.stringify(name)} is here already, and did not come by an import. It is left as it is.`,
    );
  const tags = await db
    .selectFrom('model_version_tags')
    .select(['tag_key', 'tag_value'])
    .where('model_id', '=', id)
    .where('version', '=', version.version)
    .execute();
  const here: Fields = new Map([
    ['description', row.description],
    ['stage', row.stage],
    ...tagFields(tags.map(({ tag_key, tag_value }) => [tag_key, tag_value] as const)),
  ]);
  const { changes, kept } = mergeFields(mark.base, here, fields);
  const found = row.storage_path === null && version.facts.storagePath !== null;
  const columns = {
    ...(changes.get('description') == null ? {} : { description: version.description }),
    ...(changes.get('stage') == null ? {} : { stage: version.stage satisfies Stage }),
    ...(found ? placeColumns(version) : {}),
  };
  if (Object.keys(columns).length > 0)
    await db
      .updateTable('model_versions')
      .set({ ...columns, updated_at: version.updatedAt })
      .where('model_id', '=', id)
      .where('version', '=', version.version)
      .execute();
  await applyTags(changes, {
    remove: (key) => db.deleteFrom('model_version_tags').where('model_id', '=', id).where('version', '=', version.version).where('tag_key', '=', key).execute(),
    set: (tags) => setVersionTags(db, id, version.version, recordOf(tags)),
  });
  await remember();
  return { outcome: changedOrNot(changes.size > 0 || found), kept };
}

export async function importAliases(
  ctx: StoreContext,
  name: string,
  aliases: { alias: string; version: number }[],
): Promise<{ set: string[]; removed: string[]; kept: string[]; guarded: string[] }> {
  const { db } = ctx;
  const model = await needModel(db, name);
  const mark = await readMark(db, 'model', name);
  if (mark === undefined) throw conflict('model_not_imported', `The registered model ${JSON.stringify(name)} did not come by an import.`);
  const rows = await db.selectFrom('registered_model_aliases').select(['alias', 'version']).where('model_id', '=', model.id).execute();
  const here: Fields = new Map(rows.map(({ alias, version }) => [`${ALIAS}${alias}`, String(version)]));
  const there: Fields = new Map(aliases.map(({ alias, version }) => [`${ALIAS}${alias}`, String(version)]));
  const base = new Map([...mark.base].filter(([field]) => field.startsWith(ALIAS)));
  const { changes, kept } = mergeFields(base, here, there);
  const policy = model.gate_policy === null ? null : (JSON.parse(model.gate_policy) as { aliases: string[] });
  const found = { set: [] as string[], removed: [] as string[], kept: kept.map((field) => field.slice(ALIAS.length)), guarded: [] as string[] };
  const versions = new Set((await db.selectFrom('model_versions').select('version').where('model_id', '=', model.id).execute()).map(({ version }) => version));
  const skipped: string[] = [];
  for (const [field, value] of changes) {
    const alias = field.slice(ALIAS.length);
    if (policy?.aliases.includes(alias) === true) {
      found.guarded.push(alias);
      skipped.push(field);
      continue;
    }
    const version = value === null ? null : Number(value);
    // There is nothing to point at: it was removed here, or has not come yet.
    if (version !== null && !versions.has(version)) {
      found.kept.push(alias);
      skipped.push(field);
      continue;
    }
    const previous = here.has(field) ? Number(here.get(field)) : null;
    await db.deleteFrom('registered_model_aliases').where('model_id', '=', model.id).where('alias', '=', alias).execute();
    if (version !== null) await db.insertInto('registered_model_aliases').values({ model_id: model.id, alias, version }).execute();
    found[version === null ? 'removed' : 'set'].push(alias);
    await ctx.emit({ type: 'alias.moved', payload: { model: name, alias, version, previous, forced: false } });
  }
  // What was not taken is looked at again by the next import, as if this one had not met it.
  for (const field of skipped) there.delete(field);
  const others = [...mark.base].filter(([field]) => !field.startsWith(ALIAS) || skipped.includes(field));
  await writeMark(db, { kind: 'model', entity: name, digest: mark.digest, fields: there, others }, true);
  return found;
}
