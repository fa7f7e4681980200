import type { Pair, SourceDataset, SourceRun, SourceSeries } from '../../transfer/index.ts';
import type { MlflowDatabase } from './database.ts';

const PAGE = 200;
const POINTS = 10_000;
const RUN_NAME = 'mlflow.runName';
const STATUSES = new Set(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']);
/** MLflow's databases keep the largest double where an infinity was logged. */
const restored = (value: number): number =>
  value === Number.MAX_VALUE ? Number.POSITIVE_INFINITY : value === -Number.MAX_VALUE ? Number.NEGATIVE_INFINITY : value;

interface RunRow {
  rowid: number;
  run_uuid: string;
  name: string | null;
  user_id: string | null;
  status: string;
  start_time: number | null;
  end_time: number | null;
  lifecycle_stage: string;
  deleted_time: number | null;
  artifact_uri: string | null;
  experiment_id: number | string;
}

const marks = (items: readonly unknown[]): string => items.map(() => '?').join(', ');

/** What some things have, by the thing. */
export function grouped<R, T>(rows: R[], by: (row: R) => string, to: (row: R) => T): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(by(row));
    if (group === undefined) groups.set(by(row), [to(row)]);
    else group.push(to(row));
  }
  return groups;
}

export const pairOf = ({ key, value }: { key: string; value: string | null }): Pair => ({ key, value: value ?? '' });

export function* readRuns(db: MlflowDatabase, experimentIds: ReadonlySet<string>): Iterable<SourceRun[]> {
  const sql = `select rowid, run_uuid, ${db.column('runs', 'name', 'null')} as name, user_id, status, start_time, end_time, lifecycle_stage,
    ${db.column('runs', 'deleted_time', 'null')} as deleted_time, artifact_uri, experiment_id from runs where true`;
  for (const page of db.pages<RunRow>(sql, PAGE)) {
    const rows = page.filter(({ experiment_id }) => experimentIds.has(String(experiment_id)));
    if (rows.length > 0) yield complete(db, rows);
  }
}

function complete(db: MlflowDatabase, rows: RunRow[]): SourceRun[] {
  const ids = rows.map(({ run_uuid }) => run_uuid);
  const texts = (table: 'params' | 'tags') =>
    grouped(
      db.all<{ run_uuid: string; key: string; value: string | null }>(
        `select run_uuid, key, value from ${table} where run_uuid in (${marks(ids)}) order by key`,
        ...ids,
      ),
      ({ run_uuid }) => run_uuid,
      pairOf,
    );
  const params = texts('params');
  const tags = texts('tags');
  const points = new Map(
    db
      .all<{ run_uuid: string; n: number }>(`select run_uuid, count(*) as n from metrics where run_uuid in (${marks(ids)}) group by run_uuid`, ...ids)
      .map(({ run_uuid, n }) => [run_uuid, n]),
  );
  const datasets = readDatasets(db, ids);
  const inputs = readModels(db, ids, 'RUN_INPUT', 'MODEL_INPUT');
  const outputs = readModels(db, ids, 'RUN_OUTPUT', 'MODEL_OUTPUT');
  return rows.map((row) => {
    const own = tags.get(row.run_uuid) ?? [];
    return {
      runId: row.run_uuid,
      experimentId: String(row.experiment_id),
      name: row.name || own.find(({ key }) => key === RUN_NAME)?.value || '',
      user: row.user_id ?? '',
      status: (STATUSES.has(row.status) ? row.status : 'FINISHED') as SourceRun['status'],
      startedAt: row.start_time ?? 0,
      endedAt: row.end_time,
      lifecycleStage: row.lifecycle_stage === 'deleted' ? 'deleted' : 'active',
      deletedAt: row.deleted_time,
      artifactUri: row.artifact_uri ?? '',
      params: params.get(row.run_uuid) ?? [],
      tags: own,
      datasets: datasets.get(row.run_uuid) ?? [],
      modelInputs: (inputs.get(row.run_uuid) ?? []).map(({ modelId }) => modelId),
      modelOutputs: outputs.get(row.run_uuid) ?? [],
      // A point is never changed, and comes by itself only.
      metrics: String(points.get(row.run_uuid) ?? 0),
    };
  });
}

function readDatasets(db: MlflowDatabase, runIds: string[]): Map<string, SourceDataset[]> {
  if (!db.has('datasets') || !db.has('inputs')) return new Map();
  const rows = db.all<{
    run: string;
    input: string;
    name: string;
    digest: string;
    type: string;
    source: string;
    schema: string | null;
    profile: string | null;
  }>(
    `select i.destination_id as run, i.input_uuid as input, d.name, d.digest, d.dataset_source_type as type, d.dataset_source as source, d.dataset_schema as schema,
      d.dataset_profile as profile from inputs i join datasets d on d.dataset_uuid = i.source_id
      where i.source_type = 'DATASET' and i.destination_type = 'RUN' and i.destination_id in (${marks(runIds)}) order by i.rowid`,
    ...runIds,
  );
  const inputs = rows.map(({ input }) => input);
  const tags = grouped(
    db.all<{ input: string; key: string; value: string }>(
      `select input_uuid as input, name as key, value from input_tags where input_uuid in (${marks(inputs)}) order by name`,
      ...inputs,
    ),
    ({ input }) => input,
    pairOf,
  );
  return grouped(
    rows,
    ({ run }) => run,
    ({ input, name, digest, type, source, schema, profile }) => ({ name, digest, sourceType: type, source, schema, profile, tags: tags.get(input) ?? [] }),
  );
}

function readModels(db: MlflowDatabase, runIds: string[], from: string, to: string): Map<string, { modelId: string; step: number }[]> {
  if (!db.has('inputs') || !db.has('logged_models')) return new Map();
  return grouped(
    db.all<{ run: string; model: string; step: number }>(
      `select source_id as run, destination_id as model, ${db.column('inputs', 'step', '0')} as step from inputs
        where source_type = ? and source_id in (${marks(runIds)}) and destination_type = ? order by step, destination_id`,
      from,
      ...runIds,
      to,
    ),
    ({ run }) => run,
    ({ model, step }) => ({ modelId: model, step }),
  );
}

interface PointRow {
  rowid: number;
  key: string;
  value: number | null;
  is_nan: number;
  step: number | null;
  timestamp: number | null;
  model?: string;
  dataset?: string | null;
  digest?: string | null;
}

/** A whole number that a double holds exactly, or null: one beyond would be an error of the driver. */
const exact = (column: string): string => `case when ${column} between -9007199254740991 and 9007199254740991 then ${column} end`;

/** Reads points, and counts those that it leaves out. */
export function seriesReader(db: MlflowDatabase): { read(runId: string): Iterable<SourceSeries[]>; odd(): number } {
  let left = 0;
  let models: Map<string, string[]> | undefined;
  const modelsOf = (runId: string): string[] => {
    if (!db.has('logged_model_metrics')) return [];
    models ??= grouped(
      db.all<{ run: string; model: string }>('select distinct run_id as run, model_id as model from logged_model_metrics'),
      ({ run }) => run,
      ({ model }) => model,
    );
    return models.get(runId) ?? [];
  };
  const columns = (rows: PointRow[]): SourceSeries[] => {
    const series = new Map<string, SourceSeries>();
    for (const { key, value, is_nan, step, timestamp, model = null, dataset = null, digest = null } of rows) {
      if (step === null || timestamp === null || timestamp < 0) {
        left++;
        continue;
      }
      const id = model === null ? key : JSON.stringify([key, model, dataset, digest]);
      let one = series.get(id);
      if (one === undefined)
        series.set(id, (one = { key, modelId: model, datasetName: dataset, datasetDigest: digest, steps: [], timestamps: [], values: [] }));
      one.steps.push(step);
      one.timestamps.push(timestamp);
      one.values.push(is_nan !== 0 || value === null ? Number.NaN : restored(value));
    }
    return [...series.values()];
  };
  return {
    *read(runId) {
      const of = modelsOf(runId);
      // A point that was measured for a model is noted twice there: with it, and without.
      const twice =
        of.length === 0
          ? ''
          : ` and not exists (select 1 from logged_model_metrics l where l.model_id in (${marks(of)}) and l.metric_name = metrics.key
            and l.metric_timestamp_ms = metrics.timestamp and l.metric_step = metrics.step and l.run_id = metrics.run_uuid and (l.metric_value = metrics.value or metrics.is_nan))`;
      const plain = `select rowid, key, value, is_nan, ${exact('step')} as step, ${exact('timestamp')} as timestamp from metrics where run_uuid = ?${twice}`;
      for (const page of db.pages<PointRow>(plain, POINTS, runId, ...of)) yield columns(page);
      for (const model of of) {
        const measured = `select rowid, metric_name as key, metric_value as value, 0 as is_nan, ${exact('metric_step')} as step, ${exact('metric_timestamp_ms')} as timestamp,
          model_id as model, dataset_name as dataset, dataset_digest as digest from logged_model_metrics where model_id = ? and run_id = ?`;
        for (const page of db.pages<PointRow>(measured, POINTS, model, runId)) yield columns(page);
      }
    },
    odd: () => left,
  };
}
