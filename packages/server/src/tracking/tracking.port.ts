import type { GroupPage, GroupQuery } from './run-groups.types.ts';
import type {
  DatasetInput,
  EntryKeyQuery,
  EntryKeySummary,
  EntryKind,
  EntryPage,
  EntryQuery,
  ExperimentQuery,
  ExperimentRecord,
  ExperimentSummary,
  ForkInput,
  KeyValue,
  LifecycleStage,
  LogBatch,
  LoggedModelQuery,
  LoggedModelRecord,
  LoggedModelStatus,
  MetricKeySummary,
  ModelOutput,
  NewRun,
  Points,
  RunColumns,
  RunForks,
  RunInfo,
  RunOutline,
  RunPage,
  RunQuery,
  RunRecord,
  RunStatus,
  SeriesBuckets,
  View,
} from './types.ts';

export interface RunChange {
  name?: string;
  status?: RunStatus;
  endTime?: number;
  lifecycleStage?: LifecycleStage;
  tags?: KeyValue[];
}

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

  /** `conflict` (code `run_exists`) when the id is taken; `not_found` when there is no run to fork from. */
  createRun(run: NewRun): Promise<RunRecord>;
  getRun(runId: string, columns?: RunColumns): Promise<RunRecord>;
  getRuns(runIds: string[]): Promise<RunRecord[]>;
  /** Those that exist, in the order of the ids. */
  findRuns(runIds: string[], columns?: RunColumns): Promise<RunRecord[]>;
  /** A change to a deleted run is refused, but for its lifecycle. Emits `run.finished` when the status becomes a final one. */
  updateRun(runId: string, change: RunChange): Promise<RunInfo>;
  /**
   * The same, and makes it a fork: it then has the points and entries of the other run up to a step before its own. `conflict` when it is another fork already,
   * `not_found` when there is no such run, `invalid` when that was itself forked from this one, or when the chain of forks gets too long.
   */
  forkRun(runId: string, fork: ForkInput, change: RunChange): Promise<RunInfo>;
  getForks(runId: string): Promise<RunForks>;
  deleteTag(runId: string, key: string): Promise<void>;
  /** All or nothing. A param keeps its first value: the same again is fine, another is refused. A point or entry that is there already is not added again. */
  logBatch(batch: LogBatch): Promise<void>;
  /** Appends to a tag that holds a JSON list (`mlflow.log-model.history`). */
  appendToListTag(runId: string, key: string, item: string, maxLength: number): Promise<void>;
  logInputs(runId: string, datasets: DatasetInput[], modelIds: string[]): Promise<void>;
  logOutputs(runId: string, models: ModelOutput[]): Promise<void>;
  searchRuns(query: RunQuery): Promise<RunPage>;
  /** Where pages of `pageSize` runs begin, among the first `limit` runs of the search. */
  outlineRuns(query: RunQuery, pageSize: number): Promise<RunOutline>;
  /** `invalid` (`too_many_runs`) when more match than can be grouped at once. */
  groupRuns(query: GroupQuery): Promise<GroupPage>;
  searchDatasets(experimentIds: string[]): Promise<{ experimentId: string; name: string; digest: string; context: string | null }[]>;

  /** Every point of a run's own of a metric, whatever model or dataset it was logged for, by (timestamp, step, value), from just after `after`. */
  metricHistory(
    runId: string,
    key: string,
    limit: number | null,
    after: [timestamp: number, step: number, value: number] | null,
  ): Promise<Points & { more: boolean }>;
  /** At most `limit` of a run's own points by (step, timestamp, value), evenly chosen, first and last kept. */
  sampleMetric(runId: string, key: string, limit: number, range: { from: number; to: number } | null): Promise<Points>;
  /** With what a fork inherits. At most `maxPoints` min/max buckets a series, from the chunks' own summaries where one falls into one bucket. */
  readSeries(request: { runIds: string[]; keys: string[]; maxPoints: number; from: number | null; to: number | null }): Promise<SeriesBuckets[]>;
  /** Keys by name, from just after `after`, with what a fork inherits. */
  listMetricKeys(runId: string, query: { q: string | null; limit: number; after: string | null }): Promise<{ metrics: MetricKeySummary[]; more: boolean }>;
  countMetricKeys(runId: string): Promise<number>;
  /** Series of strings, histograms and files by name and kind, with what a fork inherits. */
  listEntryKeys(runId: string, query: EntryKeyQuery): Promise<{ keys: EntryKeySummary[]; more: boolean }>;
  countEntryKeys(runId: string): Promise<Record<EntryKind, number>>;
  /**
   * Entries by (step, time, order of logging), with what a fork inherits; none where there is no such series. A page of large values ends early. `invalid`
   * (code `entry_kind_needed`) when series of several kinds have the name and none was asked for.
   */
  readEntries(runId: string, query: EntryQuery): Promise<EntryPage>;
  /** At most `limit` entries of the whole range, evenly chosen, first and last kept; fewer when they are large. */
  sampleEntries(runId: string, query: Omit<EntryQuery, 'after'>): Promise<EntryPage>;

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
