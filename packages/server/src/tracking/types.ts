import type { FilterCondition, OrderBy } from '../kernel/filter/index.ts';

export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
export type LifecycleStage = 'active' | 'deleted';
export type View = 'active' | 'deleted' | 'all';
export type LoggedModelStatus = 'LOGGED_MODEL_STATUS_UNSPECIFIED' | 'LOGGED_MODEL_PENDING' | 'LOGGED_MODEL_READY' | 'LOGGED_MODEL_UPLOAD_FAILED';

export interface KeyValue {
  key: string;
  value: string;
}

export interface ExperimentRecord {
  /** A decimal integer as text; "0" is Default. */
  id: string;
  name: string;
  artifactLocation: string;
  lifecycleStage: LifecycleStage;
  createdAt: number;
  updatedAt: number;
  tags: KeyValue[];
}

/** An experiment with what its active runs add up to. */
export interface ExperimentSummary extends ExperimentRecord {
  runCount: number;
  lastRunAt: number | null;
}

/** A metric's latest point: the maximum by (step, timestamp, value). Parallel arrays, since they cross threads by the thousand. */
export interface LatestMetrics {
  keys: string[];
  values: number[];
  steps: number[];
  timestamps: number[];
}

export interface DatasetRecord {
  name: string;
  digest: string;
  sourceType: string;
  source: string;
  schema: string | null;
  profile: string | null;
}
export interface DatasetInput {
  dataset: DatasetRecord;
  tags: KeyValue[];
}
export interface ModelOutput {
  modelId: string;
  step: number;
}

export interface RunInfo {
  runId: string;
  experimentId: string;
  name: string;
  userId: string;
  status: RunStatus;
  startTime: number;
  endTime: number | null;
  artifactUri: string;
  lifecycleStage: LifecycleStage;
}

export interface RunRecord extends RunInfo {
  metrics: LatestMetrics;
  /** key, value, key, value … */
  params: string[];
  /** key, value, key, value … */
  tags: string[];
  datasets: DatasetInput[];
  modelInputs: string[];
  modelOutputs: ModelOutput[];
}

/** Which columns of runs to load; absent means all of that kind. */
export interface RunColumns {
  metrics?: string[];
  params?: string[];
  tags?: string[];
}

export interface RunQuery {
  experimentIds: string[];
  conditions: FilterCondition[];
  /** Names of datasets: the run has these and no other. */
  datasets?: string[];
  orderBy: OrderBy[];
  view: View;
  limit: number;
  /** The sort key after which the page starts, as `RunPage.next` gave it. */
  after?: unknown[];
  columns?: RunColumns;
}
export interface RunPage {
  runs: RunRecord[];
  /** Sort key of the last run when there are more. */
  next?: unknown[] | undefined;
}

export interface RunOutline {
  /** At most as many as the query's limit. */
  total: number;
  truncated: boolean;
  /** Of each page but the first: the sort key of the run before it, and its first run. */
  pages: { after: unknown[]; firstRunId: string }[];
}

/** What a series belongs to besides its run and key. */
export interface SeriesOwner {
  modelId: string | null;
  datasetName: string | null;
  datasetDigest: string | null;
}

/**
 * Points of several series in columns: those of `series[i]` are at offsets[i] (inclusive) to offsets[i + 1] (exclusive).
 * Timestamps (ms) are integers that a double holds exactly, steps may have fractions; values may be NaN or infinite.
 */
export interface PointBatch {
  series: ({ key: string } & SeriesOwner)[];
  offsets: Uint32Array;
  steps: Float64Array;
  timestamps: Float64Array;
  values: Float64Array;
}

export type EntryKind = 'string' | 'histogram' | 'file';

/** An entry of a series of strings, histograms or files. */
export interface EntryInput {
  kind: EntryKind;
  key: string;
  step: number;
  timestamp: number;
  /** The string, the histogram as JSON, or the file's path among the run's artifacts. */
  value: string;
  /** Bytes of the value, or of the file; null where another store keeps the file. */
  size: number | null;
}

export interface LogBatch {
  runId: string;
  points: PointBatch | null;
  params: KeyValue[];
  tags: KeyValue[];
  entries?: EntryInput[];
}

/** The run that another one was forked from, and the last step that it has from there. */
export interface ForkInput {
  runId: string;
  step: number;
}

export interface RunForks {
  fork: { runId: string; name: string; step: number } | null;
  /** Runs that were forked from this one, newest first; at most 100. */
  forks: { runId: string; name: string; step: number }[];
}

export interface NewRun {
  runId: string;
  experimentId: string;
  name: string;
  userId: string;
  startTime: number;
  tags: KeyValue[];
  params: KeyValue[];
  fork?: ForkInput;
  /** The client chose the id and may ask again: a run of that id in this experiment is the answer. */
  repeated?: true;
}

/** Points in columns, sorted as the method that returns them says. */
export interface Points {
  steps: Float64Array;
  timestamps: Float64Array;
  values: Float64Array;
}

/** Min/max buckets of a series, by step. `min` and `max` are NaN where every value in the bucket is. */
export interface SeriesBuckets {
  runId: string;
  key: string;
  /** Points in the asked range, before bucketing. */
  total: number;
  /** Last step, timestamp and value of each bucket. */
  steps: Float64Array;
  timestamps: Float64Array;
  values: Float64Array;
  mins: Float64Array;
  maxs: Float64Array;
  counts: Float64Array;
  /** Points up to this step are those of the run that this one was forked from; null when it has none from there. */
  forkStep: number | null;
}

export interface MetricKeySummary {
  key: string;
  value: number;
  step: number;
  timestamp: number;
  count: number;
  min: number;
  max: number;
  /** All of its points are those of the run that this one was forked from. */
  inherited: boolean;
}

export interface EntryKeyQuery {
  kind: EntryKind | null;
  q: string | null;
  limit: number;
  /** The last key of the page before. */
  after: { name: string; kind: EntryKind } | null;
}

export interface EntryKeySummary {
  key: string;
  kind: EntryKind;
  count: number;
  firstStep: number;
  lastStep: number;
  lastTimestamp: number;
  inherited: boolean;
}

export interface EntryQuery {
  key: string;
  kind: EntryKind | null;
  /** First and last step. */
  from: number | null;
  to: number | null;
  descending: boolean;
  limit: number;
  /** The sort key after which the page starts, as `EntryPage.next` gave it. */
  after: unknown[] | null;
}

export interface StoredEntry extends Omit<EntryInput, 'key'> {
  /** Whose entry it is. */
  runId: string;
  inherited: boolean;
}

export interface EntryPage {
  /** Entries in the asked range. */
  total: number;
  entries: StoredEntry[];
  /** Sort key of the last entry when there are more. */
  next?: unknown[];
}

export interface LoggedModelMetric extends SeriesOwner {
  key: string;
  value: number;
  step: number;
  timestamp: number;
  runId: string;
}

export interface LoggedModelRecord {
  modelId: string;
  experimentId: string;
  name: string;
  artifactUri: string;
  status: LoggedModelStatus;
  statusMessage: string | null;
  modelType: string;
  sourceRunId: string;
  createdAt: number;
  updatedAt: number;
  tags: KeyValue[];
  params: KeyValue[];
  metrics: LoggedModelMetric[];
}

export interface DatasetFilter {
  name: string;
  digest: string | null;
}
export interface LoggedModelOrder {
  /** An attribute's canonical name, or a metric's key. */
  kind: 'attribute' | 'metric';
  key: string;
  ascending: boolean;
  datasetName: string | null;
  datasetDigest: string | null;
}
export interface LoggedModelQuery {
  experimentIds: string[];
  conditions: FilterCondition[];
  datasets: DatasetFilter[];
  orderBy: LoggedModelOrder[];
  limit: number;
  after?: unknown[];
}

export interface ExperimentQuery {
  conditions: FilterCondition[];
  orderBy: OrderBy[];
  view: View;
  limit: number;
  after?: unknown[];
}
