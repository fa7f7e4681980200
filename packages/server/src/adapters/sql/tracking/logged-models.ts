import { type Kysely, type Selectable, sql } from 'kysely';
import { invalid, notFound } from '../../../kernel/index.ts';
import type { KeyValue, LoggedModelMetric, LoggedModelRecord, LoggedModelStatus } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import type { LoggedModelsTable } from '../schema/tracking.ts';
import { decodeSegments } from './chunk-codec.ts';
import { loadActiveExperiment } from './experiments.ts';
import { padded } from './keys.ts';
import { restore, sortUnique } from './points.ts';
import { joinText, splitText } from './text-value.ts';

export type LoggedModelRow = Selectable<LoggedModelsTable>;
export const STATUSES: LoggedModelStatus[] = ['LOGGED_MODEL_STATUS_UNSPECIFIED', 'LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'];
/** A model's series of up to this many points are given whole, longer ones by their latest point: their history is the run's. */
const WHOLE_SERIES = 100;

const missing = (modelId: string) => notFound('logged_model_not_found', `Logged model with ID '${modelId}' not found.`);

async function loadModel(db: Kysely<Database>, modelId: string): Promise<LoggedModelRow> {
  const row = await db.selectFrom('logged_models').selectAll().where('model_id', '=', modelId).executeTakeFirst();
  if (row === undefined) throw missing(modelId);
  return row;
}

export async function createLoggedModel(
  db: Kysely<Database>,
  model: { modelId: string; experimentId: string; name: string; modelType: string; sourceRunId: string; params: KeyValue[]; tags: KeyValue[] },
  now: number,
): Promise<LoggedModelRecord> {
  const experiment = await loadActiveExperiment(db, model.experimentId);
  await db
    .insertInto('logged_models')
    .values({
      model_id: model.modelId,
      experiment_id: experiment.id,
      name: model.name,
      artifact_uri: `${experiment.artifact_location.replace(/\/+$/, '')}/models/${model.modelId}/artifacts`,
      status: STATUSES.indexOf('LOGGED_MODEL_PENDING'),
      status_message: null,
      model_type: model.modelType,
      source_run_id: model.sourceRunId,
      created_at: now,
      updated_at: now,
      deleted: 0,
    })
    .execute();
  await writeModelParams(db, model.modelId, model.params);
  await writeModelTags(db, model.modelId, model.tags);
  return getLoggedModel(db, model.modelId, false);
}

/** Params never change: the same value again is fine, another is refused. */
export async function writeModelParams(db: Kysely<Database>, modelId: string, params: KeyValue[]): Promise<void> {
  if (params.length === 0) return;
  const stored = await db.selectFrom('logged_model_params').select(['text_key', 'head', 'rest']).where('model_id', '=', modelId).execute();
  const known = new Map(stored.map(({ text_key, head, rest }) => [text_key, joinText(head, rest)]));
  for (const { key, value } of params) {
    const old = known.get(key);
    if (old !== undefined && old !== value)
      throw invalid(
        'param_immutable',
        `Changing param values is not allowed. Param with key='${key}' was already logged with value='${old}' for model ID='${modelId}'. Attempted logging new value '${value}'.`,
        { details: { keys: [key] } },
      );
    if (old !== undefined) continue;
    known.set(key, value);
    await db
      .insertInto('logged_model_params')
      .values({ model_id: modelId, text_key: key, ...splitText(value) })
      .execute();
  }
}

export async function writeModelTags(db: Kysely<Database>, modelId: string, tags: KeyValue[]): Promise<void> {
  for (const [key, value] of new Map(tags.map((tag) => [tag.key, tag.value]))) {
    await db.deleteFrom('logged_model_tags').where('model_id', '=', modelId).where('text_key', '=', key).execute();
    await db
      .insertInto('logged_model_tags')
      .values({ model_id: modelId, text_key: key, ...splitText(value) })
      .execute();
  }
}

export async function getLoggedModel(db: Kysely<Database>, modelId: string, allowDeleted: boolean): Promise<LoggedModelRecord> {
  const row = await loadModel(db, modelId);
  if (row.deleted !== 0 && !allowDeleted) throw missing(modelId);
  return (await toModels(db, [row]))[0] as LoggedModelRecord;
}

/** Those that exist, in the order of the ids. */
export async function getLoggedModels(db: Kysely<Database>, modelIds: string[]): Promise<LoggedModelRecord[]> {
  if (modelIds.length === 0) return [];
  const rows = await db.selectFrom('logged_models').selectAll().where('model_id', 'in', padded(modelIds)).execute();
  const byId = new Map((await toModels(db, rows)).map((model) => [model.modelId, model]));
  return modelIds.flatMap((id) => byId.get(id) ?? []);
}

export async function finalizeLoggedModel(db: Kysely<Database>, modelId: string, status: LoggedModelStatus, now: number): Promise<LoggedModelRecord> {
  await loadModel(db, modelId);
  await db
    .updateTable('logged_models')
    .set({ status: STATUSES.indexOf(status), updated_at: now })
    .where('model_id', '=', modelId)
    .execute();
  return getLoggedModel(db, modelId, true);
}

export async function deleteLoggedModel(db: Kysely<Database>, modelId: string, now: number): Promise<void> {
  await loadModel(db, modelId);
  await db.updateTable('logged_models').set({ deleted: 1, updated_at: now }).where('model_id', '=', modelId).execute();
}

export async function setLoggedModelTags(db: Kysely<Database>, modelId: string, tags: KeyValue[]): Promise<void> {
  await loadModel(db, modelId);
  await writeModelTags(db, modelId, tags);
}

export async function deleteLoggedModelTag(db: Kysely<Database>, modelId: string, key: string): Promise<void> {
  await loadModel(db, modelId);
  const { numDeletedRows } = await db.deleteFrom('logged_model_tags').where('model_id', '=', modelId).where('text_key', '=', key).executeTakeFirstOrThrow();
  if (numDeletedRows === 0n) throw notFound('tag_not_found', `No tag with key '${key}' found for model with ID '${modelId}'.`);
}

/** Remembers a registered version at the model it was made of, as MLflow's own client does. */
export async function noteModelVersion(db: Kysely<Database>, modelId: string, name: string, version: number): Promise<void> {
  const key = 'mlflow.modelVersions';
  const model = await db.selectFrom('logged_models').select('model_id').where('model_id', '=', modelId).executeTakeFirst();
  if (model === undefined) return;
  const tag = await db.selectFrom('logged_model_tags').select(['head', 'rest']).where('model_id', '=', modelId).where('text_key', '=', key).executeTakeFirst();
  let list: { name?: string; version?: string | number }[] = [];
  try {
    const parsed: unknown = tag === undefined ? [] : JSON.parse(joinText(tag.head, tag.rest));
    if (Array.isArray(parsed)) list = parsed;
  } catch {
    // Someone wrote another text into the tag; the list starts anew.
  }
  if (list.some((entry) => entry?.name === name && String(entry.version) === String(version))) return;
  await writeModelTags(db, modelId, [{ key, value: JSON.stringify([...list, { name, version }]) }]);
}

export async function logLoggedModelParams(db: Kysely<Database>, modelId: string, params: KeyValue[]): Promise<void> {
  await loadModel(db, modelId);
  await writeModelParams(db, modelId, params);
}

/** Models with params, tags and metrics, in the order of the rows. */
export async function toModels(db: Kysely<Database>, rows: LoggedModelRow[]): Promise<LoggedModelRecord[]> {
  if (rows.length === 0) return [];
  const ids = padded(rows.map((row) => row.model_id));
  const text = async (table: 'logged_model_params' | 'logged_model_tags') => {
    const byModel = new Map<string, KeyValue[]>();
    for (const row of await db.selectFrom(table).selectAll().where('model_id', 'in', ids).orderBy('text_key').execute())
      byModel.set(row.model_id, [...(byModel.get(row.model_id) ?? []), { key: row.text_key, value: joinText(row.head, row.rest) }]);
    return byModel;
  };
  const params = await text('logged_model_params');
  const tags = await text('logged_model_tags');
  const metrics = await modelMetrics(db, ids);
  return rows.map((row) => ({
    modelId: row.model_id,
    experimentId: String(row.experiment_id),
    name: row.name,
    artifactUri: row.artifact_uri,
    status: STATUSES[row.status] as LoggedModelStatus,
    statusMessage: row.status_message,
    modelType: row.model_type,
    sourceRunId: row.source_run_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    params: params.get(row.model_id) ?? [],
    tags: tags.get(row.model_id) ?? [],
    metrics: metrics.get(row.model_id) ?? [],
  }));
}

async function modelMetrics(db: Kysely<Database>, modelIds: string[]): Promise<Map<string, LoggedModelMetric[]>> {
  const { rows } = await sql<{
    model_id: string;
    metric_key: string;
    dataset_name: string | null;
    dataset_digest: string | null;
    run_id: string;
    value: number | null;
    infinite: number;
    step: number;
    timestamp: number;
    points: number;
    chunks: number;
    tail: Uint8Array;
  }>`
    select m.*, s.chunks, s.tail from logged_model_metrics m join metric_series s on s.id = m.series_id where m.model_id in (${sql.join(modelIds)}) order by m.metric_key`.execute(
    db,
  );
  const byModel = new Map<string, LoggedModelMetric[]>();
  for (const row of rows) {
    const list = byModel.get(row.model_id) ?? [];
    byModel.set(row.model_id, list);
    const of = { key: row.metric_key, modelId: row.model_id, datasetName: row.dataset_name, datasetDigest: row.dataset_digest, runId: row.run_id };
    if (row.points > WHOLE_SERIES || row.chunks > 0) {
      list.push({ ...of, value: restore(row.value, row.infinite), step: row.step, timestamp: row.timestamp });
      continue;
    }
    const points = sortUnique(decodeSegments(row.tail, row.points));
    for (let i = 0; i < points.steps.length; i++)
      list.push({ ...of, value: points.values[i] as number, step: points.steps[i] as number, timestamp: points.timestamps[i] as number });
  }
  return byModel;
}
