import type { Kysely } from 'kysely';
import { conflict } from '../../../kernel/index.ts';
import type { ExperimentImport, Imported, KeyValue, LoggedModelImport, TrackingImports } from '../../../tracking/index.ts';
import { insertForId, insertWithId } from '../insert-id.ts';
import type { Database } from '../schema/index.ts';
import { type ExperimentRow, loadExperiment, stageOf } from '../tracking/experiments.ts';
import { STATUSES, writeModelParams, writeModelTags } from '../tracking/logged-models.ts';
import { joinText } from '../tracking/text-value.ts';
import { applyTags, type Fields, type Mark, mergeFields, newParams, readMark, tagFields, writeMark } from './marks.ts';

type Db = Kysely<Database>;
type ExperimentResult = Awaited<ReturnType<TrackingImports['importExperiment']>>;

/** PostgreSQL and SQLite would keep larger ones; MySQL's integer does not. */
const MAX_ID = 2_147_483_647;

export const removedHere = { outcome: 'removed' as const, kept: [] };
export const changedOrNot = (changed: boolean): Imported['outcome'] => (changed ? 'updated' : 'unchanged');
export const deletedOf = (stage: 'active' | 'deleted'): number => (stage === 'deleted' ? 1 : 0);

const experimentFields = (e: ExperimentImport): Fields =>
  new Map([['name', e.name], ['lifecycleStage', e.lifecycleStage], ...tagFields(e.tags.map(({ key, value }) => [key, value] as const))]);

export async function importExperiment(db: Db, experiment: ExperimentImport): Promise<ExperimentResult> {
  const mark = await readMark(db, 'experiment', experiment.source);
  const fields = experimentFields(experiment);
  const remember = (row: ExperimentRow) =>
    writeMark(db, { kind: 'experiment', entity: experiment.source, target: String(row.id), digest: null, fields }, mark !== undefined);
  const named = await db.selectFrom('experiments').selectAll().where('name', '=', experiment.name).executeTakeFirst();
  if (mark !== undefined) {
    const row = await db.selectFrom('experiments').selectAll().where('id', '=', Number(mark.target)).executeTakeFirst();
    if (row === undefined) return { ...removedHere, experimentId: null };
    const result = await mergeExperiment(db, row, experiment, mark, named !== undefined && named.id !== row.id);
    await remember(row);
    return result;
  }
  if (named !== undefined) {
    if (named.deleted === 1 && experiment.lifecycleStage === 'active')
      throw conflict(
        'experiment_deleted_here',
        `The experiment ${JSON.stringify(experiment.name)} was deleted here (id ${named.id}). Restore it, or remove it for good with gc, and import again.`,
        { details: { id: String(named.id) } },
      );
    const result = await mergeExperiment(db, named, experiment, undefined, false);
    // It is as old as its oldest part.
    if (experiment.createdAt > 0 && experiment.createdAt < named.created_at)
      await db.updateTable('experiments').set({ created_at: experiment.createdAt }).where('id', '=', named.id).execute();
    await remember(named);
    return result;
  }
  const row = await insertExperiment(db, experiment);
  await remember(row);
  return { outcome: 'created', kept: [], experimentId: String(row.id) };
}

async function insertExperiment(db: Db, experiment: ExperimentImport): Promise<ExperimentRow> {
  const wanted = /^\d{1,10}$/.test(experiment.id) && Number(experiment.id) <= MAX_ID ? Number(experiment.id) : null;
  const taken = wanted === null ? null : await db.selectFrom('experiments').select('id').where('id', '=', wanted).executeTakeFirst();
  const columns = {
    name: experiment.name,
    artifact_location: experiment.artifactLocation ?? '',
    deleted: deletedOf(experiment.lifecycleStage),
    created_at: experiment.createdAt,
    updated_at: experiment.updatedAt,
  };
  const id =
    wanted === null || taken !== undefined ? await insertForId(db, 'experiments', columns) : await insertWithId(db, 'experiments', { id: wanted, ...columns });
  if (experiment.artifactLocation === null)
    await db
      .updateTable('experiments')
      .set({ artifact_location: `${experiment.root}/${id}` })
      .where('id', '=', id)
      .execute();
  await insertTags(db, id, experiment.tags);
  return loadExperiment(db, String(id));
}

async function insertTags(db: Db, id: number, tags: KeyValue[]): Promise<void> {
  for (const { key, value } of tags) await db.insertInto('experiment_tags').values({ experiment_id: id, tag_key: key, tag_value: value }).execute();
}

async function mergeExperiment(
  db: Db,
  row: ExperimentRow,
  experiment: ExperimentImport,
  mark: Mark | undefined,
  nameTaken: boolean,
): Promise<Imported & { experimentId: string }> {
  const tags = await db.selectFrom('experiment_tags').select(['tag_key', 'tag_value']).where('experiment_id', '=', row.id).execute();
  const here: Fields = new Map([
    ['name', row.name],
    // One that is active here takes runs, whatever it was elsewhere.
    ['lifecycleStage', mark === undefined ? experiment.lifecycleStage : stageOf(row.deleted)],
    ...tagFields(tags.map(({ tag_key, tag_value }) => [tag_key, tag_value] as const)),
  ]);
  const { changes, kept } = mergeFields(mark?.base, here, experimentFields(experiment));
  if (nameTaken && changes.delete('name')) kept.push('name');
  const name = changes.get('name');
  const stage = changes.get('lifecycleStage');
  const columns = {
    ...(name == null ? {} : { name }),
    ...(stage == null ? {} : { deleted: deletedOf(stage as 'active' | 'deleted') }),
  };
  if (Object.keys(columns).length > 0)
    await db
      .updateTable('experiments')
      .set({ ...columns, updated_at: experiment.updatedAt })
      .where('id', '=', row.id)
      .execute();
  const remove = (key: string) => db.deleteFrom('experiment_tags').where('experiment_id', '=', row.id).where('tag_key', '=', key).execute();
  await applyTags(changes, {
    remove,
    set: async (tags) => {
      for (const { key } of tags) await remove(key);
      await insertTags(db, row.id, tags);
    },
  });
  return { outcome: changedOrNot(changes.size > 0), kept, experimentId: String(row.id) };
}

const modelFields = (m: LoggedModelImport): Fields =>
  new Map([
    ['name', m.name],
    ['status', m.status],
    ['lifecycleStage', m.lifecycleStage],
    ...(m.statusMessage === null ? [] : ([['statusMessage', m.statusMessage]] as [string, string][])),
    ...tagFields(m.tags.map(({ key, value }) => [key, value] as const)),
  ]);

export async function importLoggedModel(db: Db, model: LoggedModelImport): Promise<Imported & { artifactUri: string | null }> {
  const mark = await readMark(db, 'logged-model', model.modelId);
  const row = await db.selectFrom('logged_models').selectAll().where('model_id', '=', model.modelId).executeTakeFirst();
  const remember = () => writeMark(db, { kind: 'logged-model', entity: model.modelId, digest: null, fields: modelFields(model) }, mark !== undefined);
  if (row === undefined) {
    if (mark !== undefined) return { ...removedHere, artifactUri: null };
    const experiment = await loadExperiment(db, model.experimentId);
    const artifactUri = model.artifactUri ?? `${experiment.artifact_location.replace(/\/+$/, '')}/models/${model.modelId}/artifacts`;
    await db
      .insertInto('logged_models')
      .values({
        model_id: model.modelId,
        experiment_id: experiment.id,
        name: model.name,
        artifact_uri: artifactUri,
        status: STATUSES.indexOf(model.status),
        status_message: model.statusMessage,
        model_type: model.modelType,
        source_run_id: model.sourceRunId,
        created_at: model.createdAt,
        updated_at: model.updatedAt,
        deleted: deletedOf(model.lifecycleStage),
      })
      .execute();
    await writeModelParams(db, model.modelId, model.params);
    await writeModelTags(db, model.modelId, model.tags);
    await remember();
    return { outcome: 'created', kept: [], artifactUri };
  }
  if (mark === undefined)
    throw conflict('logged_model_not_imported', `The logged model ${model.modelId} is here already, and did not come by an import. It is left as it is.`);
  const text = async (table: 'logged_model_tags' | 'logged_model_params') =>
    (await db.selectFrom(table).select(['text_key', 'head', 'rest']).where('model_id', '=', model.modelId).execute()).map(
      ({ text_key, head, rest }) => [text_key, joinText(head, rest)] as const,
    );
  const here: Fields = new Map([
    ['name', row.name],
    ['status', STATUSES[row.status] as string],
    ['lifecycleStage', stageOf(row.deleted)],
    ...(row.status_message === null ? [] : ([['statusMessage', row.status_message]] as [string, string][])),
    ...tagFields(await text('logged_model_tags')),
  ]);
  const { changes, kept } = mergeFields(mark.base, here, modelFields(model));
  const stage = changes.get('lifecycleStage');
  const columns = {
    ...(changes.get('name') == null ? {} : { name: changes.get('name') as string }),
    ...(changes.get('status') == null ? {} : { status: STATUSES.indexOf(model.status) }),
    ...(changes.has('statusMessage') ? { status_message: changes.get('statusMessage') ?? null } : {}),
    ...(stage == null ? {} : { deleted: deletedOf(stage as 'active' | 'deleted') }),
  };
  if (Object.keys(columns).length > 0)
    await db
      .updateTable('logged_models')
      .set({ ...columns, updated_at: model.updatedAt })
      .where('model_id', '=', model.modelId)
      .execute();
  await applyTags(changes, {
    remove: (key) => db.deleteFrom('logged_model_tags').where('model_id', '=', model.modelId).where('text_key', '=', key).execute(),
    set: (tags) => writeModelTags(db, model.modelId, tags),
  });
  const added = newParams(new Map(await text('logged_model_params')), model.params, kept);
  await writeModelParams(db, model.modelId, added);
  await remember();
  return { outcome: changedOrNot(changes.size > 0 || added.length > 0), kept, artifactUri: row.artifact_uri };
}
