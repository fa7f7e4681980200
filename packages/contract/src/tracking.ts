import { z } from 'zod';
import { Limit, LooseNumber, PageToken, Tags, Timestamp } from './common.ts';
import { operation } from './operation.ts';
import { GroupValue } from './run-groups.ts';

export const LifecycleStage = z.enum(['active', 'deleted']);
export const RunStatus = z.enum(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']);
export type RunStatus = z.infer<typeof RunStatus>;

export const Experiment = z.object({
  id: z.string(),
  name: z.string(),
  artifactLocation: z.string(),
  lifecycleStage: LifecycleStage,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  tags: Tags,
  runCount: z.number().int(),
  lastRunAt: Timestamp.nullable(),
});
export type Experiment = z.infer<typeof Experiment>;

export const Dataset = z.object({
  name: z.string(),
  digest: z.string(),
  sourceType: z.string(),
  source: z.string(),
  schema: z.string().nullable(),
  profile: z.string().nullable(),
  context: z.string().nullable().describe('The tag mlflow.data.context, such as "training".'),
});
export type Dataset = z.infer<typeof Dataset>;

/** A row of the runs table: only the columns that were asked for. */
export const RunRow = z.object({
  id: z.string(),
  experimentId: z.string(),
  name: z.string(),
  status: RunStatus,
  user: z.string(),
  startedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
  lifecycleStage: LifecycleStage,
  metrics: z.record(z.string(), LooseNumber),
  params: Tags,
  tags: Tags,
  datasets: z.array(z.object({ name: z.string(), digest: z.string(), context: z.string().nullable() })),
});
export type RunRow = z.infer<typeof RunRow>;

export const MetricSummary = z.object({
  key: z.string(),
  value: LooseNumber,
  step: z.number(),
  timestamp: Timestamp,
  count: z.number().int(),
  min: LooseNumber,
  max: LooseNumber,
});
export type MetricSummary = z.infer<typeof MetricSummary>;

export const RunDetail = RunRow.omit({ metrics: true, datasets: true }).extend({
  experimentName: z.string(),
  artifactUri: z.string(),
  note: z.string(),
  metricKeys: z.number().int().describe('How many metric keys the run has; `metrics` holds at most the first 1000 by name.'),
  metrics: z.array(MetricSummary),
  datasets: z.array(Dataset),
  models: z.array(
    z.object({
      modelId: z.string(),
      name: z.string(),
      step: z.number().int(),
      status: z.string(),
      versions: z.array(z.object({ name: z.string(), version: z.number().int() })),
    }),
  ),
});
export type RunDetail = z.infer<typeof RunDetail>;

/** A point of a series, or the min/max bucket of several. */
export const SeriesPoint = z.object({
  step: z.number(),
  timestamp: Timestamp,
  value: LooseNumber.describe('The last value in the bucket.'),
  min: LooseNumber,
  max: LooseNumber,
  count: z.number().int(),
});
export type SeriesPoint = z.infer<typeof SeriesPoint>;
export const Series = z.object({ runId: z.string(), key: z.string(), total: z.number().int(), points: z.array(SeriesPoint) });
export type Series = z.infer<typeof Series>;

const runId = z.object({ runId: z.string() });
const experimentId = z.object({ experimentId: z.string() });
export const MetricPoint = z.object({ key: z.string(), value: LooseNumber, step: z.number().int().default(0), timestamp: Timestamp.optional() });

export const trackingOperations = {
  listExperiments: operation({
    method: 'GET',
    path: '/experiments',
    tag: 'tracking',
    summary: 'Experiments, newest activity first.',
    query: z.object({
      q: z.string().optional(),
      view: z.enum(['active', 'deleted', 'all']).default('active'),
      limit: Limit(200, 1000),
      pageToken: PageToken.optional(),
    }),
    response: z.object({ experiments: z.array(Experiment), nextPageToken: PageToken.optional() }),
  }),
  createExperiment: operation({
    method: 'POST',
    path: '/experiments',
    tag: 'tracking',
    summary: 'Create an experiment.',
    body: z.strictObject({ name: z.string().min(1).max(500), tags: Tags.default({}) }),
    response: Experiment,
  }),
  getExperiment: operation({
    method: 'GET',
    path: '/experiments/{experimentId}',
    tag: 'tracking',
    summary: 'One experiment.',
    params: experimentId,
    response: Experiment,
  }),
  listExperimentColumns: operation({
    method: 'GET',
    path: '/experiments/{experimentId}/columns',
    tag: 'tracking',
    summary: 'Keys of metrics, params and tags used by the runs of an experiment, for the column picker.',
    params: experimentId,
    query: z.object({ q: z.string().optional(), limit: Limit(500, 20000) }),
    response: z.object({ metrics: z.array(z.string()), params: z.array(z.string()), tags: z.array(z.string()), truncated: z.boolean() }),
  }),
  searchRuns: operation({
    method: 'POST',
    path: '/runs/search',
    tag: 'tracking',
    summary: "Runs by MLflow's filter grammar, a page at a time, with the picked columns only.",
    body: z.strictObject({
      experimentIds: z.array(z.string()).max(1000),
      filter: z.string().max(20000).default(''),
      view: z.enum(['active', 'deleted', 'all']).default('active'),
      within: z.array(GroupValue).max(8).default([]).describe('Only the runs of a group, as groupRuns told its values.'),
      orderBy: z.array(z.string()).max(20).default([]),
      limit: z.number().int().min(1).max(5000).default(100),
      pageToken: PageToken.optional(),
      columns: z
        .strictObject({
          metrics: z.array(z.string()).max(2000).default([]),
          params: z.array(z.string()).max(2000).default([]),
          tags: z.array(z.string()).max(2000).default([]),
        })
        .optional()
        .describe('Absent: every column of each run.'),
    }),
    response: z.object({ runs: z.array(RunRow), nextPageToken: PageToken.optional() }),
  }),
  compareRuns: operation({
    method: 'POST',
    path: '/runs/compare',
    tag: 'tracking',
    summary: 'Runs side by side: every param, metric and tag, and which of them differ.',
    body: z.strictObject({ runIds: z.array(z.string()).min(1).max(200) }),
    response: z.object({
      runs: z.array(RunRow.omit({ metrics: true, params: true, tags: true })),
      rows: z.array(
        z.object({
          kind: z.enum(['param', 'metric', 'tag', 'attribute']),
          key: z.string(),
          values: z.array(z.union([z.string(), z.number(), z.null()])),
          differs: z.boolean(),
        }),
      ),
    }),
  }),
  createRun: operation({
    method: 'POST',
    path: '/runs',
    tag: 'tracking',
    summary: 'Start a run.',
    body: z.strictObject({
      experimentId: z.string().optional(),
      experiment: z.string().optional().describe('Name; created when it does not exist.'),
      name: z.string().max(500).optional(),
      user: z.string().max(250).optional(),
      startedAt: Timestamp.optional(),
      tags: Tags.default({}),
      params: Tags.default({}),
    }),
    response: RunDetail,
  }),
  getRun: operation({ method: 'GET', path: '/runs/{runId}', tag: 'tracking', summary: 'One run, whole.', params: runId, response: RunDetail }),
  updateRun: operation({
    method: 'PATCH',
    path: '/runs/{runId}',
    tag: 'tracking',
    summary: 'Rename a run, end it, set tags or its note, delete or restore it.',
    params: runId,
    body: z.strictObject({
      name: z.string().min(1).max(500).optional(),
      status: RunStatus.optional(),
      endedAt: Timestamp.optional(),
      note: z.string().max(100000).optional(),
      tags: Tags.optional(),
      lifecycleStage: LifecycleStage.optional(),
    }),
    response: RunDetail,
  }),
  logBatch: operation({
    method: 'POST',
    path: '/runs/{runId}/log',
    tag: 'tracking',
    summary: 'Log metrics, params and tags, all or nothing.',
    params: runId,
    maxBody: 32 * 1024 * 1024,
    body: z.strictObject({ metrics: z.array(MetricPoint).max(10000).default([]), params: Tags.default({}), tags: Tags.default({}) }),
    response: z.object({ metrics: z.number().int(), params: z.number().int(), tags: z.number().int() }),
  }),
  getSeries: operation({
    method: 'POST',
    path: '/runs/series',
    tag: 'tracking',
    summary: 'Metric series of several runs as min/max buckets, never more than maxPoints each.',
    body: z.strictObject({
      runIds: z.array(z.string()).min(1).max(200),
      keys: z.array(z.string()).min(1).max(500),
      maxPoints: z.number().int().min(10).max(20000).default(1000),
      from: z.number().optional().describe('First step.'),
      to: z.number().optional().describe('Last step.'),
    }),
    response: z.object({ series: z.array(Series) }),
  }),
  listMetricKeys: operation({
    method: 'GET',
    path: '/runs/{runId}/metric-keys',
    tag: 'tracking',
    summary: "A run's metric keys with last values, by name.",
    params: runId,
    query: z.object({ q: z.string().optional(), limit: Limit(1000, 10000), pageToken: PageToken.optional() }),
    response: z.object({ metrics: z.array(MetricSummary), nextPageToken: PageToken.optional() }),
  }),
};
