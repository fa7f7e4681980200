import type { Dataset, Experiment, MetricSummary, RunDetail, RunRow } from '@binnacle/contract';
import type { DatasetInput, ExperimentSummary, KeyValue, LoggedModelRecord, MetricKeySummary, RunRecord, TrackingService } from '../../tracking/index.ts';

const FIRST_METRICS = 1000;
const CONTEXT_TAG = 'mlflow.data.context';
const NOTE_TAG = 'mlflow.note.content';
const VERSIONS_TAG = 'mlflow.modelVersions';

// NaN and infinities stay numbers here; the server writes them as the contract says.
const record = (flat: string[]): Record<string, string> => {
  const entries: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) entries.push([flat[i] as string, flat[i + 1] as string]);
  return Object.fromEntries(entries);
};
const metricValues = ({ keys, values }: RunRecord['metrics']): Record<string, number> => Object.fromEntries(keys.map((key, i) => [key, values[i] as number]));
const contextOf = (tags: KeyValue[]): string | null => tags.find(({ key }) => key === CONTEXT_TAG)?.value ?? null;

export const experimentView = (experiment: ExperimentSummary): Experiment => ({
  id: experiment.id,
  name: experiment.name,
  artifactLocation: experiment.artifactLocation,
  lifecycleStage: experiment.lifecycleStage,
  createdAt: experiment.createdAt,
  updatedAt: experiment.updatedAt,
  tags: Object.fromEntries(experiment.tags.map(({ key, value }) => [key, value])),
  runCount: experiment.runCount,
  lastRunAt: experiment.lastRunAt,
});

const runHead = (run: RunRecord) => ({
  id: run.runId,
  experimentId: run.experimentId,
  name: run.name,
  status: run.status,
  user: run.userId,
  startedAt: run.startTime,
  endedAt: run.endTime,
  lifecycleStage: run.lifecycleStage,
});

export const runRow = (run: RunRecord): RunRow => ({
  ...runHead(run),
  metrics: metricValues(run.metrics),
  params: record(run.params),
  tags: record(run.tags),
  datasets: run.datasets.map(({ dataset, tags }) => ({ name: dataset.name, digest: dataset.digest, context: contextOf(tags) })),
});

export const metricView = (metric: MetricKeySummary): MetricSummary => ({ ...metric });

const datasetView = ({ dataset, tags }: DatasetInput): Dataset => ({ ...dataset, context: contextOf(tags) });

/** Registered versions that were made of a logged model, from the tag that MLflow keeps them in. */
function versionsOf(model: LoggedModelRecord | undefined): { name: string; version: number }[] {
  const text = model?.tags.find(({ key }) => key === VERSIONS_TAG)?.value;
  if (text === undefined) return [];
  try {
    const list: unknown = JSON.parse(text);
    return (Array.isArray(list) ? list : []).flatMap((entry: { name?: unknown; version?: unknown } | null) => {
      const version = Number(entry?.version);
      return typeof entry?.name === 'string' && Number.isInteger(version) ? [{ name: entry.name, version }] : [];
    });
  } catch {
    return [];
  }
}

/** A run whole, but for metrics beyond the first thousand: those are asked for by name. */
export async function runDetail(tracking: TrackingService, runId: string): Promise<RunDetail> {
  const run = await tracking.getRun(runId, { metrics: [] });
  const [experiment, { metrics }, metricKeys, entryKeys, { fork, forks }, models] = await Promise.all([
    tracking.getExperiment(run.experimentId),
    tracking.listMetricKeys(runId, { limit: FIRST_METRICS }),
    tracking.countMetricKeys(runId),
    tracking.countEntryKeys(runId),
    tracking.getForks(runId),
    tracking.getLoggedModels(run.modelOutputs.map(({ modelId }) => modelId)),
  ]);
  const byId = new Map(models.map((model) => [model.modelId, model]));
  const tags = record(run.tags);
  return {
    ...runHead(run),
    params: record(run.params),
    tags,
    experimentName: experiment.name,
    artifactUri: run.artifactUri,
    note: tags[NOTE_TAG] ?? '',
    metricKeys,
    metrics: metrics.map(metricView),
    entryKeys,
    fork,
    forks,
    datasets: run.datasets.map(datasetView),
    models: run.modelOutputs.map(({ modelId, step }) => {
      const model = byId.get(modelId);
      return { modelId, name: model?.name ?? '', step, status: model?.status ?? 'LOGGED_MODEL_STATUS_UNSPECIFIED', versions: versionsOf(model) };
    }),
  };
}

type Cell = string | number | null;

/** Every attribute, param, metric and tag of the runs side by side; those that differ say so. */
export function compareRuns(runs: RunRecord[]) {
  const rows: { kind: 'param' | 'metric' | 'tag' | 'attribute'; key: string; values: Cell[]; differs: boolean }[] = [];
  const add = (kind: (typeof rows)[number]['kind'], key: string, values: Cell[]) =>
    rows.push({ kind, key, values, differs: values.some((value) => !Object.is(value, values[0])) });
  const spread = (kind: 'param' | 'metric' | 'tag', maps: Record<string, string | number>[]) => {
    const keys = [...new Set(maps.flatMap((map) => Object.keys(map)))].sort();
    for (const key of keys) {
      add(
        kind,
        key,
        maps.map((map) => (Object.hasOwn(map, key) ? (map[key] as Cell) : null)),
      );
    }
  };
  const all = (pick: (run: RunRecord) => Cell) => runs.map(pick);
  add(
    'attribute',
    'name',
    all((run) => run.name),
  );
  add(
    'attribute',
    'status',
    all((run) => run.status),
  );
  add(
    'attribute',
    'user',
    all((run) => run.userId),
  );
  add(
    'attribute',
    'experimentId',
    all((run) => run.experimentId),
  );
  add(
    'attribute',
    'startedAt',
    all((run) => run.startTime),
  );
  add(
    'attribute',
    'endedAt',
    all((run) => run.endTime),
  );
  add(
    'attribute',
    'durationMs',
    all((run) => (run.endTime === null ? null : run.endTime - run.startTime)),
  );
  spread(
    'param',
    runs.map((run) => record(run.params)),
  );
  spread(
    'metric',
    runs.map((run) => metricValues(run.metrics)),
  );
  spread(
    'tag',
    runs.map((run) => record(run.tags)),
  );
  return { runs: runs.map((run) => ({ ...runHead(run), datasets: runRow(run).datasets })), rows };
}
