import type { Kysely } from 'kysely';
import { conflict } from '../../../kernel/index.ts';
import type { Imported, PointBatch, RunImport, RunRecord } from '../../../tracking/index.ts';
import { insertForId } from '../insert-id.ts';
import type { Database } from '../schema/index.ts';
import { loadExperiment } from '../tracking/experiments.ts';
import { writeDatasets, writeModels } from '../tracking/inputs.ts';
import { loadRuns, type RunRow } from '../tracking/run-load.ts';
import { removeTag, writeParams, writeTags } from '../tracking/run-text.ts';
import { loadRun } from '../tracking/runs.ts';
import { writePoints } from '../tracking/series-write.ts';
import { applyTags, type Fields, type Mark, mergeFields, newParams, readMark, tagFields, writeMark } from './marks.ts';
import { changedOrNot, deletedOf, removedHere } from './tracking.ts';

type Db = Kysely<Database>;
type RunResult = Imported & { artifactUri: string | null; points: number };

const fieldsOf = (
  run: Pick<RunImport, 'name' | 'userId' | 'status' | 'startTime' | 'endTime' | 'lifecycleStage'>,
  tags: Iterable<readonly [string, string]>,
): Fields =>
  new Map([
    ['name', run.name],
    ['user', run.userId],
    ['status', run.status],
    ['startTime', String(run.startTime)],
    ...(run.endTime === null ? [] : ([['endTime', String(run.endTime)]] as [string, string][])),
    ['lifecycleStage', run.lifecycleStage],
    ...tagFields(tags),
  ]);

const pairs = (flat: string[]): [string, string][] => Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] as string, flat[2 * i + 1] as string]);

export async function importRun(db: Db, run: RunImport): Promise<RunResult> {
  const mark = await readMark(db, 'run', run.runId);
  const row = await db.selectFrom('runs').selectAll().where('run_id', '=', run.runId).executeTakeFirst();
  if (row === undefined && mark !== undefined) return { ...removedHere, artifactUri: null, points: 0 };
  if (row !== undefined && mark === undefined)
    throw conflict('run_not_imported', `The run ${run.runId} is here already, and did not come by an import. It is left as it is.`);
  const result = row === undefined ? await insertRun(db, run) : await mergeRun(db, row, run, mark as Mark);
  const fields = fieldsOf(
    run,
    run.tags.map(({ key, value }) => [key, value] as const),
  );
  await writeMark(db, { kind: 'run', entity: run.runId, digest: run.digest, fields }, mark !== undefined);
  return result;
}

async function insertRun(db: Db, run: RunImport): Promise<RunResult> {
  const experiment = await loadExperiment(db, run.experimentId);
  const columns = {
    run_id: run.runId,
    experiment_id: experiment.id,
    name: run.name,
    user_id: run.userId,
    status: run.status,
    start_time: run.startTime,
    end_time: run.endTime,
    artifact_uri: run.artifactUri ?? `${experiment.artifact_location.replace(/\/+$/, '')}/${run.runId}/artifacts`,
    deleted: deletedOf(run.lifecycleStage),
    deleted_at: run.lifecycleStage === 'deleted' ? (run.deletedAt ?? Date.now()) : null,
    fork_rid: null,
    fork_step: null,
  };
  const row: RunRow = { ...columns, rid: await insertForId(db, 'runs', columns, 'rid') };
  await writeParams(db, row, run.params);
  await writeTags(db, row, run.tags);
  await addLinks(db, row, run);
  if (run.points !== null) await writePoints(db, row, run.points);
  return { outcome: 'created', kept: [], artifactUri: row.artifact_uri, points: run.points?.steps.length ?? 0 };
}

async function mergeRun(db: Db, row: RunRow, run: RunImport, mark: Mark): Promise<RunResult> {
  const [here] = (await loadRuns(db, [row], { metrics: [] })) as [RunRecord];
  const { changes, kept } = mergeFields(
    mark.base,
    fieldsOf(here, pairs(here.tags)),
    fieldsOf(
      run,
      run.tags.map(({ key, value }) => [key, value] as const),
    ),
  );
  const stage = changes.get('lifecycleStage');
  const columns = {
    ...(changes.get('name') == null ? {} : { name: run.name }),
    ...(changes.get('user') == null ? {} : { user_id: run.userId }),
    ...(changes.get('status') == null ? {} : { status: run.status }),
    ...(changes.get('startTime') == null ? {} : { start_time: run.startTime }),
    ...(changes.has('endTime') ? { end_time: run.endTime } : {}),
    ...(stage == null ? {} : { deleted: deletedOf(stage as 'active' | 'deleted'), deleted_at: stage === 'deleted' ? (run.deletedAt ?? Date.now()) : null }),
  };
  if (Object.keys(columns).length > 0) await db.updateTable('runs').set(columns).where('rid', '=', row.rid).execute();
  await applyTags(changes, { remove: (key) => removeTag(db, row, key), set: (tags) => writeTags(db, row, tags) });
  const added = newParams(new Map(pairs(here.params)), run.params, kept);
  await writeParams(db, row, added);
  const linked = await addLinks(db, row, run, here);
  const points = run.points === null ? 0 : await addPoints(db, row, run.points);
  return { outcome: changedOrNot(changes.size > 0 || added.length > 0 || linked || points > 0), kept, artifactUri: row.artifact_uri, points };
}

/** Datasets and models. Returns whether one of them is new. */
async function addLinks(db: Db, row: RunRow, run: RunImport, here?: RunRecord): Promise<boolean> {
  const datasets = new Set(here?.datasets.map(({ dataset }) => JSON.stringify([dataset.name, dataset.digest])));
  const newDatasets = run.datasets.filter(({ dataset }) => !datasets.has(JSON.stringify([dataset.name, dataset.digest])));
  const inputs = new Set(here?.modelInputs);
  const newInputs = run.modelInputs.filter((modelId) => !inputs.has(modelId));
  const outputs = new Set(here?.modelOutputs.map(({ modelId, step }) => `${modelId} ${step}`));
  const newOutputs = run.modelOutputs.filter(({ modelId, step }) => !outputs.has(`${modelId} ${step}`));
  await writeDatasets(db, row, newDatasets);
  await writeModels(
    db,
    row.rid,
    0,
    newInputs.map((modelId) => ({ modelId, step: 0 })),
  );
  await writeModels(db, row.rid, 1, newOutputs);
  return newDatasets.length + newInputs.length + newOutputs.length > 0;
}

export async function importPoints(db: Db, runId: string, points: PointBatch): Promise<number> {
  return addPoints(db, await loadRun(db, runId), points);
}

async function addPoints(db: Db, row: RunRow, points: PointBatch): Promise<number> {
  const count = async () => {
    const { n } = await db
      .selectFrom('metric_series')
      .select(({ fn }) => fn.sum<number | string | null>('points').as('n'))
      .where('rid', '=', row.rid)
      .executeTakeFirstOrThrow();
    return Number(n ?? 0);
  };
  const before = await count();
  await writePoints(db, row, points);
  return (await count()) - before;
}
