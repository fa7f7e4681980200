import { z } from 'zod';
import { Limit, LooseNumber, PageToken, Tags, Timestamp } from './common.ts';
import { operation } from './operation.ts';
import { GroupValue } from './run-groups.ts';
import { FileSeriesEntry, Fork, ForkedRun, HistogramEntry, MetricPoint, MetricSummary, seriesOperations, StringEntry } from './series.ts';

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

export const RunDetail = RunRow.omit({ metrics: true, datasets: true }).extend({
  experimentName: z.string(),
  artifactUri: z.string(),
  note: z.string(),
  metricKeys: z.number().int().describe('How many metric keys the run has; `metrics` holds at most the first 1000 by name.'),
  metrics: z.array(MetricSummary),
  entryKeys: z
    .object({ string: z.number().int(), histogram: z.number().int(), file: z.number().int() })
    .describe('How many series of each kind the run has, inherited ones included.'),
  fork: ForkedRun.extend({ name: z.string().nullable().describe('null when that run is gone.') })
    .nullable()
    .describe('The run that this one was forked from, and the last step that it has from there.'),
  forks: z.array(ForkedRun).describe('Runs that were forked from this one, newest first; at most 100.'),
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

const runId = z.object({ runId: z.string() });
const experimentId = z.object({ experimentId: z.string() });

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
  outlineRuns: operation({
    method: 'POST',
    path: '/runs/outline',
    tag: 'tracking',
    summary: 'How many runs a search finds, and where each of its pages begins, so that a reader may jump to any of them.',
    body: z.strictObject({
      experimentIds: z.array(z.string()).max(1000),
      filter: z.string().max(20000).default(''),
      view: z.enum(['active', 'deleted', 'all']).default('active'),
      within: z.array(GroupValue).max(8).default([]),
      orderBy: z.array(z.string()).max(20).default([]),
      pageSize: z.number().int().min(50).max(5000).default(200),
    }),
    response: z.object({
      total: z.number().int(),
      truncated: z.boolean().describe('There are more than the 500,000 runs that are counted.'),
      pages: z.array(z.object({ pageToken: PageToken, firstRunId: z.string() })).describe('From the second page on.'),
    }),
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
      runId: z
        .string()
        .regex(/^[0-9a-f]{32}$/, '32 digits, 0-9 and a-f')
        .optional()
        .describe('An id that the client chose: asked again with it, the answer is the run that is there.'),
      fork: Fork.optional().describe('Begin with the points and entries that another run has up to a step.'),
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
    summary: 'Rename a run, end it, set tags, its note or its fork, delete or restore it.',
    params: runId,
    body: z.strictObject({
      name: z.string().min(1).max(500).optional(),
      status: RunStatus.optional(),
      endedAt: Timestamp.optional(),
      note: z.string().max(100000).optional(),
      tags: Tags.optional(),
      lifecycleStage: LifecycleStage.optional(),
      fork: Fork.optional().describe('For a run that has none; a fork is never changed.'),
    }),
    response: RunDetail,
  }),
  logBatch: operation({
    method: 'POST',
    path: '/runs/{runId}/log',
    tag: 'tracking',
    summary: 'Log metrics, params, tags, and entries of series of strings, histograms and files, all or nothing.',
    params: runId,
    maxBody: 32 * 1024 * 1024,
    body: z.strictObject({
      metrics: z.array(MetricPoint).max(10000).default([]),
      params: Tags.default({}),
      tags: Tags.default({}),
      strings: z.array(StringEntry).max(10000).default([]),
      histograms: z.array(HistogramEntry).max(10000).default([]),
      files: z.array(FileSeriesEntry).max(10000).default([]),
    }),
    response: z.object({
      metrics: z.number().int(),
      params: z.number().int(),
      tags: z.number().int(),
      strings: z.number().int(),
      histograms: z.number().int(),
      files: z.number().int(),
    }),
  }),
  ...seriesOperations,
};
