import type { Kysely } from 'kysely';
import { conflict, invalid, notFound } from '../../../kernel/index.ts';
import type { ForkInput, KeyValue, LifecycleStage, LogBatch, NewRun, RunColumns, RunInfo, RunRecord, RunStatus } from '../../../tracking/index.ts';
import type { StoreContext } from '../engine.ts';
import { insertForId } from '../insert-id.ts';
import type { Database } from '../schema/index.ts';
import { writeEntries } from './entry-write.ts';
import { loadActiveExperiment, parseExperimentId, stageOf } from './experiments.ts';
import { checkSameFork, forkColumns, setFork } from './forks.ts';
import { selectHot } from './hot.ts';
import { findKeys, KeyKind, padded } from './keys.ts';
import { loadRuns, type RunRow, toInfo } from './run-load.ts';
import { type KnownTexts, namesOf, readTag, readTexts, removeTag, writeParams, writeTags } from './run-text.ts';
import { readKnown } from './series-known.ts';
import { writePoints } from './series-write.ts';

const RUN_NAME = 'mlflow.runName';
const FINAL: ReadonlySet<string> = new Set(['FINISHED', 'FAILED', 'KILLED']);

export async function loadRun(db: Kysely<Database>, runId: string): Promise<RunRow> {
  const [row] = await selectHot<RunRow>(db, 'run', () => db.selectFrom('runs').selectAll().where('run_id', '=', ''), [runId]);
  if (row === undefined) throw notFound('run_not_found', `Run with id=${runId} not found`);
  return row;
}

export async function loadActiveRun(db: Kysely<Database>, runId: string): Promise<RunRow> {
  const row = await loadRun(db, runId);
  if (row.deleted !== 0) throw invalid('run_deleted', `The run ${runId} must be in the 'active' state. Current state is deleted.`);
  return row;
}

export async function createRun(db: Kysely<Database>, run: NewRun): Promise<RunRecord> {
  const tags = new Map([...run.tags, { key: RUN_NAME, value: run.name }].map(({ key, value }) => [key, value]));
  const experimentId = parseExperimentId(run.experimentId);
  const [experiment, [taken], tagKeys, paramKeys] = await Promise.all([
    loadActiveExperiment(db, run.experimentId),
    selectHot<RunRow>(db, 'run', () => db.selectFrom('runs').selectAll().where('run_id', '=', ''), [run.runId]),
    findKeys(db, experimentId, KeyKind.tag, [...tags.keys()]),
    findKeys(
      db,
      experimentId,
      KeyKind.param,
      run.params.map(({ key }) => key),
    ),
  ]);
  if (taken !== undefined) return sameRun(db, taken, run);
  const columns = {
    run_id: run.runId,
    experiment_id: experiment.id,
    name: run.name,
    user_id: run.userId,
    status: 'RUNNING',
    start_time: run.startTime,
    end_time: null,
    artifact_uri: `${experiment.artifact_location.replace(/\/+$/, '')}/${run.runId}/artifacts`,
    deleted: 0,
    deleted_at: null,
    ...(await forkColumns(db, run.fork)),
  };
  const row: RunRow = { ...columns, rid: await insertForId(db, 'runs', columns, 'rid') };
  await Promise.all([
    writeTags(
      db,
      row,
      [...tags].map(([key, value]) => ({ key, value })),
      withoutValues(tagKeys),
    ),
    writeParams(db, row, run.params, withoutValues(paramKeys)),
  ]);
  // Nothing needs to be read back: what was just written is the record.
  return {
    ...toInfo(row),
    metrics: { keys: [], values: [], steps: [], timestamps: [] },
    params: run.params.flatMap(({ key, value }) => [key, value]),
    tags: [...tags].flat(),
    datasets: [],
    modelInputs: [],
    modelOutputs: [],
  };
}

/** What is known of the texts of a run that is new: its experiment's keys. */
const withoutValues = (keys: ReadonlyMap<string, number>): KnownTexts => new Map([...keys].map(([name, keyId]) => [name, { keyId, value: undefined }]));

/** A run whose id is taken: what is there, for a client that chose the id and asks again. */
async function sameRun(db: Kysely<Database>, taken: RunRow, run: NewRun): Promise<RunRecord> {
  if (run.repeated !== true) throw conflict('run_exists', `Run with id=${run.runId} already exists.`);
  if (taken.experiment_id !== parseExperimentId(run.experimentId))
    throw conflict('run_exists', `A run with the id ${run.runId} is there already, in another experiment.`);
  await checkSameFork(db, taken, run.fork);
  return getRun(db, run.runId);
}

export async function getRun(db: Kysely<Database>, runId: string, columns?: RunColumns): Promise<RunRecord> {
  return (await loadRuns(db, [await loadRun(db, runId)], columns))[0] as RunRecord;
}

/** Those that exist, in the order of the ids. */
export async function findRuns(db: Kysely<Database>, runIds: string[], columns?: RunColumns): Promise<RunRecord[]> {
  if (runIds.length === 0) return [];
  const rows = await db.selectFrom('runs').selectAll().where('run_id', 'in', padded(runIds)).execute();
  const byId = new Map((await loadRuns(db, rows, columns)).map((run) => [run.runId, run]));
  return runIds.flatMap((runId) => byId.get(runId) ?? []);
}

/** Runs in the order of their ids; unknown ones are an error. */
export async function getRuns(db: Kysely<Database>, runIds: string[]): Promise<RunRecord[]> {
  const runs = await findRuns(db, runIds);
  const found = new Set(runs.map(({ runId }) => runId));
  const missing = runIds.find((runId) => !found.has(runId));
  if (missing !== undefined) throw notFound('run_not_found', `Run with id=${missing} not found`);
  return runs;
}

export async function updateRun(
  ctx: StoreContext,
  runId: string,
  change: { name?: string; status?: RunStatus; endTime?: number; lifecycleStage?: LifecycleStage; tags?: KeyValue[] },
): Promise<RunInfo> {
  const { db } = ctx;
  let row = await loadRun(db, runId);
  if (change.lifecycleStage !== undefined && change.lifecycleStage !== stageOf(row.deleted)) {
    const deleted = change.lifecycleStage === 'deleted' ? 1 : 0;
    await db
      .updateTable('runs')
      .set({ deleted, deleted_at: deleted === 1 ? ctx.now() : null })
      .where('rid', '=', row.rid)
      .execute();
    row = { ...row, deleted };
  }
  const tags = change.tags ?? [];
  const name = change.name ?? tags.findLast(({ key }) => key === RUN_NAME)?.value;
  const columns = {
    ...(change.status === undefined ? {} : { status: change.status }),
    ...(change.endTime === undefined ? {} : { end_time: change.endTime }),
    ...(name === undefined || name === '' ? {} : { name }),
  };
  if (Object.keys(columns).length > 0 || tags.length > 0) {
    await loadActiveRun(db, runId);
    if (Object.keys(columns).length > 0) await db.updateTable('runs').set(columns).where('rid', '=', row.rid).execute();
    await writeTags(db, row, columns.name === undefined ? tags : [...tags.filter(({ key }) => key !== RUN_NAME), { key: RUN_NAME, value: columns.name }]);
    if (change.status !== undefined && FINAL.has(change.status) && !FINAL.has(row.status))
      await ctx.emit({ type: 'run.finished', payload: { runId, experimentId: String(row.experiment_id), status: change.status } });
  }
  return toInfo(await loadRun(db, runId));
}

/** Makes a run a fork, and changes it like `updateRun`. */
export async function forkRun(ctx: StoreContext, runId: string, fork: ForkInput, change: Parameters<typeof updateRun>[2]): Promise<RunInfo> {
  const info = await updateRun(ctx, runId, change);
  await setFork(ctx.db, await loadActiveRun(ctx.db, runId), fork);
  return info;
}

export async function deleteTag(db: Kysely<Database>, runId: string, key: string): Promise<void> {
  const row = await loadActiveRun(db, runId);
  if (!(await removeTag(db, row, key))) throw notFound('tag_not_found', `No tag with name: ${key} in run with id ${runId}`);
}

export async function logBatch(db: Kysely<Database>, batch: LogBatch): Promise<void> {
  const { runId, params, tags, points } = batch;
  // Asked together, so that a database server is asked once.
  const [row, known, knownParams, knownTags] = await Promise.all([
    loadActiveRun(db, runId),
    readKnown(db, runId, points === null ? [] : namesOf(points.series)),
    readTexts(db, runId, 'run_params', namesOf(params)),
    readTexts(db, runId, 'run_tags', namesOf(tags)),
  ]);
  await writeParams(db, row, params, knownParams);
  if (points !== null) await writePoints(db, row, points, known);
  if (batch.entries !== undefined) await writeEntries(db, row, batch.entries);
  await writeTags(db, row, tags, knownTags);
  const name = batch.tags.findLast(({ key }) => key === RUN_NAME)?.value;
  if (name !== undefined && name !== '') await db.updateTable('runs').set({ name }).where('rid', '=', row.rid).execute();
}

export async function appendToListTag(db: Kysely<Database>, runId: string, key: string, item: string, maxLength: number): Promise<void> {
  const row = await loadActiveRun(db, runId);
  const old = await readTag(db, row, key);
  let list: unknown[] = [];
  try {
    const parsed: unknown = old === undefined ? [] : JSON.parse(old);
    if (Array.isArray(parsed)) list = parsed;
  } catch {
    // Someone wrote another text into the tag; the list starts anew.
  }
  const value = JSON.stringify([...list, JSON.parse(item)]);
  if (value.length > maxLength) throw invalid('value_too_long', `'value' exceeds the maximum length of ${maxLength} characters`);
  await writeTags(db, row, [{ key, value }]);
}
