import type { GroupPage, GroupQuery } from './run-groups.types.ts';
import type {
  DatasetInput,
  ExperimentQuery,
  ExperimentRecord,
  ExperimentSummary,
  KeyValue,
  LifecycleStage,
  LogBatch,
  LoggedModelQuery,
  LoggedModelRecord,
  LoggedModelStatus,
  MetricKeySummary,
  ModelOutput,
  Points,
  RunColumns,
  RunInfo,
  RunPage,
  RunQuery,
  RunRecord,
  RunStatus,
  SeriesBuckets,
  View,
} from './types.ts';

/**
 * Where experiments, runs, metrics and logged models live. Each call is one transaction. It checks what only the data can tell (existence,
 * lifecycle, immutability) and throws BinnacleError; values have been validated by the service.
 */
export interface TrackingStore {
  /** `conflict` (code `experiment_exists`) when the name is taken, by a deleted experiment too. `artifactLocation` null: `<root>/<id>`. */
  createExperiment(input: { name: string; artifactLocation: string | null; tags: KeyValue[]; root: string }): Promise<ExperimentRecord>;
  getExperiment(id: string): Promise<ExperimentSummary>;
  findExperiment(name: string): Promise<ExperimentRecord | undefined>;
  /** Deleting takes the runs along; restoring brings all of them back. */
  updateExperiment(id: string, change: { name?: string; lifecycleStage?: LifecycleStage }): Promise<ExperimentRecord>;
  setExperimentTag(id: string, tag: KeyValue): Promise<void>;
  deleteExperimentTag(id: string, key: string): Promise<void>;
  searchExperiments(query: ExperimentQuery): Promise<{ experiments: ExperimentRecord[]; next?: unknown[] }>;
  /** Newest activity first; `q` matches names without regard to case. */
  listExperiments(query: { q: string | null; view: View; limit: number; after?: unknown[] }): Promise<{ experiments: ExperimentSummary[]; next?: unknown[] }>;
  /** Keys used by an experiment's runs, by name. */
  listColumns(experimentId: string, q: string | null, limit: number): Promise<{ metrics: string[]; params: string[]; tags: string[]; truncated: boolean }>;

  createRun(run: {
    runId: string;
    experimentId: string;
    name: string;
    userId: string;
    startTime: number;
    tags: KeyValue[];
    params: KeyValue[];
  }): Promise<RunRecord>;
  getRun(runId: string, columns?: RunColumns): Promise<RunRecord>;
  getRuns(runIds: string[]): Promise<RunRecord[]>;
  /** Those that exist, in the order of the ids. */
  findRuns(runIds: string[], columns?: RunColumns): Promise<RunRecord[]>;
  /** A change to a deleted run is refused, but for its lifecycle. Emits `run.finished` when the status becomes a final one. */
  updateRun(
    runId: string,
    change: { name?: string; status?: RunStatus; endTime?: number; lifecycleStage?: LifecycleStage; tags?: KeyValue[] },
  ): Promise<RunInfo>;
  deleteTag(runId: string, key: string): Promise<void>;
  /** All or nothing. A param keeps its first value: the same again is fine, another is refused. A point that is there already is not added again. */
  logBatch(batch: LogBatch): Promise<void>;
  /** Appends to a tag that holds a JSON list (`mlflow.log-model.history`). */
  appendToListTag(runId: string, key: string, item: string, maxLength: number): Promise<void>;
  logInputs(runId: string, datasets: DatasetInput[], modelIds: string[]): Promise<void>;
  logOutputs(runId: string, models: ModelOutput[]): Promise<void>;
  searchRuns(query: RunQuery): Promise<RunPage>;
  /** `invalid` (`too_many_runs`) when more match than can be grouped at once. */
  groupRuns(query: GroupQuery): Promise<GroupPage>;
  searchDatasets(experimentIds: string[]): Promise<{ experimentId: string; name: string; digest: string; context: string | null }[]>;

  /** Every point of a run's metric, whatever model or dataset it was logged for, by (timestamp, step, value), from just after `after`. */
  metricHistory(
    runId: string,
    key: string,
    limit: number | null,
    after: [timestamp: number, step: number, value: number] | null,
  ): Promise<Points & { more: boolean }>;
  /** At most `limit` points by (step, timestamp, value), evenly chosen, first and last kept. */
  sampleMetric(runId: string, key: string, limit: number, range: { from: number; to: number } | null): Promise<Points>;
  /** At most `maxPoints` min/max buckets a series, from the chunks' own summaries where one falls into one bucket. */
  readSeries(request: { runIds: string[]; keys: string[]; maxPoints: number; from: number | null; to: number | null }): Promise<SeriesBuckets[]>;
  /** Keys by name, from just after `after`. */
  listMetricKeys(runId: string, query: { q: string | null; limit: number; after: string | null }): Promise<{ metrics: MetricKeySummary[]; more: boolean }>;
  countMetricKeys(runId: string): Promise<number>;

  createLoggedModel(model: {
    modelId: string;
    experimentId: string;
    name: string;
    modelType: string;
    sourceRunId: string;
    params: KeyValue[];
    tags: KeyValue[];
  }): Promise<LoggedModelRecord>;
  getLoggedModel(modelId: string, allowDeleted: boolean): Promise<LoggedModelRecord>;
  getLoggedModels(modelIds: string[]): Promise<LoggedModelRecord[]>;
  finalizeLoggedModel(modelId: string, status: LoggedModelStatus): Promise<LoggedModelRecord>;
  deleteLoggedModel(modelId: string): Promise<void>;
  setLoggedModelTags(modelId: string, tags: KeyValue[]): Promise<void>;
  deleteLoggedModelTag(modelId: string, key: string): Promise<void>;
  /** Adds to the tag mlflow.modelVersions, a JSON list of {name, version}; nothing when it is there, or no such model. */
  noteModelVersion(modelId: string, model: string, version: number): Promise<void>;
  logLoggedModelParams(modelId: string, params: KeyValue[]): Promise<void>;
  searchLoggedModels(query: LoggedModelQuery): Promise<{ models: LoggedModelRecord[]; next?: unknown[] }>;
}
