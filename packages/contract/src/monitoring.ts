import { z } from 'zod';
import { Limit, LooseNumber, PageToken, Timestamp } from './common.ts';
import { operation } from './operation.ts';

export const MonitorConfig = z.strictObject({
  windowSeconds: z.number().int().min(300).default(86400).describe('Length of a drift window; windows of a week start on Mondays, UTC.'),
  excludedFeatures: z.array(z.string()).default([]).describe('Features left out of drift, such as calendar features.'),
  consecutiveWindows: z.number().int().min(1).max(10).default(2).describe('Windows in a row that must drift before an alarm is raised.'),
  minimumRows: z.number().int().min(10).default(500),
  thresholds: z
    .strictObject({
      js: z.number().positive().default(0.1),
      w1n: z.number().positive().default(0.1),
      ks: z.number().positive().default(0.1),
      psi: z.number().positive().default(0.25),
    })
    .default({ js: 0.1, w1n: 0.1, ks: 0.1, psi: 0.25 }),
  samplingFraction: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('Share of the requests whose rows are logged and profiled; counts and latency are never sampled.'),
  positiveLabel: z.union([z.string(), z.number(), z.boolean()]).optional(),
  scoreOutput: z.string().optional(),
  labelOutput: z.string().optional(),
});
export type MonitorConfig = z.infer<typeof MonitorConfig>;

export const MonitorSummary = z.object({
  endpoint: z.string(),
  model: z.string(),
  predictions: z.number().int(),
  predictionsLastDay: z.number().int().describe('By event time, up to the newest event.'),
  errors: z.number().int(),
  labelled: z.number().int(),
  firstPredictionAt: Timestamp.nullable(),
  lastPredictionAt: Timestamp.nullable(),
  hasBaseline: z.boolean(),
  driftedFeatures: z.array(z.string()).describe('In the newest complete window.'),
  openAlarms: z.number().int(),
  config: MonitorConfig,
});
export type MonitorSummary = z.infer<typeof MonitorSummary>;

export const Alarm = z.object({
  id: z.string(),
  endpoint: z.string(),
  version: z.number().int(),
  kind: z.enum(['feature-drift', 'prediction-drift', 'dataset-drift', 'missing-values', 'unseen-values']),
  feature: z.string().nullable(),
  state: z.enum(['open', 'closed']),
  severity: z.enum(['warning', 'critical']),
  message: z.string(),
  firstWindow: Timestamp,
  lastWindow: Timestamp,
  raisedAt: Timestamp,
  closedAt: Timestamp.nullable(),
  value: z.number(),
  threshold: z.number(),
});
export type Alarm = z.infer<typeof Alarm>;

export const TimeBucket = z.object({
  start: Timestamp,
  requests: z.number().int(),
  predictions: z.number().int(),
  errors: z.number().int(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  meanScore: z.number().nullable(),
  meanPrediction: z.number().nullable(),
  versions: z.record(z.string(), z.number().int()).describe('Predictions by version.'),
});

export const DriftCell = z.object({
  windowStart: Timestamp,
  rows: z.number().int(),
  status: z.enum(['ok', 'drift', 'warning', 'insufficient', 'no-baseline', 'excluded']),
  js: z.number().nullable(),
  ks: z.number().nullable(),
  w1n: z.number().nullable(),
  psi: z.number().nullable(),
  noiseFloor: z.number().nullable().describe('The 99 % point of the JS distance of a drift-free window of this size.'),
  threshold: z.number().nullable(),
  missingShare: z.number().nullable(),
  unseenShare: z.number().nullable(),
  mean: z.number().nullable(),
});
export type DriftCell = z.infer<typeof DriftCell>;
export const DriftFeature = z.object({
  name: z.string(),
  kind: z.enum(['numeric', 'categorical', 'prediction']),
  excluded: z.boolean(),
  cells: z.array(DriftCell),
});
export const DriftReport = z.object({
  endpoint: z.string(),
  version: z.number().int().nullable(),
  windowSeconds: z.number().int(),
  baseline: z.object({ source: z.string(), rows: z.number().int() }).nullable(),
  windows: z.array(z.object({ start: Timestamp, end: Timestamp, rows: z.number().int(), complete: z.boolean(), driftedShare: z.number().nullable() })),
  features: z.array(DriftFeature),
  alarms: z.array(Alarm),
});
export type DriftReport = z.infer<typeof DriftReport>;

/** A distribution on shared bins, so that two of them can be drawn over each other. */
export const Distribution = z.object({
  feature: z.string(),
  kind: z.enum(['numeric', 'categorical', 'prediction']),
  edges: z.array(z.number()).nullable().describe('Bin i is [edges[i], edges[i+1]); the first and last bins of `shares` are under and over.'),
  categories: z.array(z.string()).nullable(),
  baseline: z
    .object({
      rows: z.number().int(),
      shares: z.array(z.number()),
      mean: z.number().nullable(),
      std: z.number().nullable(),
      missingShare: z.number(),
      min: z.number().nullable(),
      max: z.number().nullable(),
    })
    .nullable(),
  current: z.object({
    rows: z.number().int(),
    shares: z.array(z.number()),
    mean: z.number().nullable(),
    std: z.number().nullable(),
    missingShare: z.number(),
    unseenShare: z.number().nullable(),
    min: z.number().nullable(),
    max: z.number().nullable(),
  }),
  cell: DriftCell.nullable(),
});
export type Distribution = z.infer<typeof Distribution>;

export const QualityWindow = z.object({
  start: Timestamp,
  end: Timestamp,
  predictions: z.number().int(),
  labelled: z.number().int(),
  auc: z.number().nullable(),
  brier: z.number().nullable(),
  accuracy: z.number().nullable(),
  logLoss: z.number().nullable(),
  rmse: z.number().nullable(),
  mae: z.number().nullable(),
  positives: z.number().int().nullable(),
  majorityAccuracy: z.number().nullable(),
  majorityBrier: z.number().nullable(),
});
export type QualityWindow = z.infer<typeof QualityWindow>;

export const GroundTruth = z.strictObject({
  predictionId: z.string().max(250),
  label: z.union([z.string(), z.number(), z.boolean()]),
  labelTimestamp: Timestamp.optional(),
});
export const PredictionRow = z.object({
  predictionId: z.string(),
  timestamp: Timestamp,
  endpoint: z.string(),
  version: z.number().int(),
  latencyMs: z.number().nullable(),
  features: z.record(z.string(), z.unknown()),
  prediction: z.union([z.string(), LooseNumber, z.null()]),
  score: LooseNumber.nullable(),
  label: z.union([z.string(), z.number(), z.boolean(), z.null()]),
});

const endpoint = z.object({ endpoint: z.string() });
const range = { from: z.coerce.number().int().optional(), to: z.coerce.number().int().optional() };
export const monitoringOperations = {
  listMonitors: operation({
    method: 'GET',
    path: '/monitors',
    tag: 'monitoring',
    summary: 'One line an endpoint: counts, drift, alarms.',
    response: z.object({ monitors: z.array(MonitorSummary) }),
  }),
  getMonitor: operation({
    method: 'GET',
    path: '/monitors/{endpoint}',
    tag: 'monitoring',
    summary: 'The monitor of an endpoint.',
    params: endpoint,
    response: MonitorSummary,
  }),
  setMonitorConfig: operation({
    method: 'PUT',
    path: '/monitors/{endpoint}/config',
    tag: 'monitoring',
    summary: 'Set windows, thresholds and excluded features.',
    params: endpoint,
    body: MonitorConfig,
    response: MonitorConfig,
  }),
  getTimeSeries: operation({
    method: 'GET',
    path: '/monitors/{endpoint}/timeseries',
    tag: 'monitoring',
    summary: 'Counts, errors, latency and predictions over event time.',
    params: endpoint,
    query: z.object({ ...range, bucketSeconds: z.coerce.number().int().min(300).optional(), source: z.enum(['live', 'batch', 'all']).default('live') }),
    response: z.object({ bucketSeconds: z.number().int(), buckets: z.array(TimeBucket) }),
  }),
  getDrift: operation({
    method: 'GET',
    path: '/monitors/{endpoint}/drift',
    tag: 'monitoring',
    summary: 'Drift of every feature and window against the training profile.',
    params: endpoint,
    query: z.object({ ...range, version: z.coerce.number().int().optional(), source: z.enum(['live', 'batch', 'all']).default('live') }),
    response: DriftReport,
  }),
  getDistribution: operation({
    method: 'GET',
    path: '/monitors/{endpoint}/distribution',
    tag: 'monitoring',
    summary: 'Two distributions of a feature: training and a window.',
    params: endpoint,
    query: z.object({
      feature: z.string(),
      windowStart: z.coerce.number().int(),
      version: z.coerce.number().int().optional(),
      source: z.enum(['live', 'batch', 'all']).default('live'),
    }),
    response: Distribution,
  }),
  getQuality: operation({
    method: 'GET',
    path: '/monitors/{endpoint}/quality',
    tag: 'monitoring',
    summary: 'Quality by window where the ground truth is known.',
    params: endpoint,
    query: z.object({ ...range, version: z.coerce.number().int().optional() }),
    response: z.object({ windowSeconds: z.number().int(), windows: z.array(QualityWindow), overall: QualityWindow.nullable() }),
  }),
  sendGroundTruth: operation({
    method: 'POST',
    path: '/monitors/{endpoint}/ground-truth',
    tag: 'monitoring',
    summary: 'Labels that came later, joined by prediction id; sending one again replaces it.',
    params: endpoint,
    maxBody: 64 * 1024 * 1024,
    body: z.strictObject({ labels: z.array(GroundTruth).min(1).max(100_000) }),
    response: z.object({ accepted: z.number().int(), matched: z.number().int(), unmatched: z.number().int() }),
  }),
  listAlarms: operation({
    method: 'GET',
    path: '/alarms',
    tag: 'monitoring',
    summary: 'Alarms, newest first.',
    query: z.object({ endpoint: z.string().optional(), state: z.enum(['open', 'closed', 'all']).default('all'), limit: Limit(100, 1000) }),
    response: z.object({ alarms: z.array(Alarm) }),
  }),
  evaluateMonitor: operation({
    method: 'POST',
    path: '/monitors/{endpoint}/evaluate',
    tag: 'monitoring',
    summary: 'Evaluate drift and alarms now instead of at the next interval.',
    params: endpoint,
    response: DriftReport,
  }),
  listPredictions: operation({
    method: 'GET',
    path: '/monitors/{endpoint}/predictions',
    tag: 'monitoring',
    summary: 'The prediction log, newest first.',
    params: endpoint,
    query: z.object({ ...range, limit: Limit(100, 1000), predictionId: z.string().optional(), pageToken: PageToken.optional() }),
    response: z.object({ predictions: z.array(PredictionRow), nextPageToken: PageToken.optional() }),
  }),
};
