import type { Generated } from 'kysely';

export interface ExperimentsTable {
  id: Generated<number>;
  name: string;
  artifact_location: string;
  /** 0 active, 1 deleted. */
  deleted: number;
  created_at: number;
  updated_at: number;
}
export interface ExperimentTagsTable {
  experiment_id: number;
  tag_key: string;
  tag_value: string;
}

export interface RunsTable {
  /** Internal, small: every child table carries it. */
  rid: Generated<number>;
  run_id: string;
  experiment_id: number;
  name: string;
  user_id: string;
  status: string;
  start_time: number;
  end_time: number | null;
  artifact_uri: string;
  deleted: number;
  deleted_at: number | null;
  /** The run that this one was forked from; it has that run's points and entries up to `fork_step`. */
  fork_rid: number | null;
  fork_step: number | null;
}

/** Names of metrics, params, tags and other series, an integer each, by experiment: what an experiment's runs use is read off here. */
export interface RunKeysTable {
  id: Generated<number>;
  experiment_id: number;
  /** See KeyKind in tracking/keys.ts. */
  kind: number;
  name: string;
}

/** A text value in two parts, so that its start can be indexed on every database: `head` is at most 250 characters, `rest` what follows. */
export interface RunTextTable {
  rid: number;
  key_id: number;
  head: string;
  rest: string | null;
}

/** A run's latest point of a metric key over all of its series. */
export interface LatestMetricsTable {
  rid: number;
  key_id: number;
  /** null for NaN; the largest double for an infinity (no database but SQLite and PostgreSQL keeps one). */
  value: number | null;
  /** 1 when the value is infinite. */
  infinite: number;
  step: number;
  timestamp: number;
}

/** One series: a run, a key, and what it was measured on. Its newest points are in `tail`, the others in chunks. */
export interface MetricSeriesTable {
  id: Generated<number>;
  rid: number;
  key_id: number;
  /** '' or a hash of model and dataset. */
  variant: string;
  model_id: string | null;
  dataset_name: string | null;
  dataset_digest: string | null;
  points: number;
  min_value: number | null;
  max_value: number | null;
  min_step: number;
  max_step: number;
  min_timestamp: number;
  max_timestamp: number;
  last_step: number;
  last_timestamp: number;
  /** 8 bytes, little endian: NaN and infinities keep their bits. */
  last_value: Uint8Array;
  chunks: number;
  tail_points: number;
  tail: Uint8Array;
}

export interface MetricChunksTable {
  series_id: number;
  seq: number;
  points: number;
  min_value: number | null;
  max_value: number | null;
  min_step: number;
  max_step: number;
  min_timestamp: number;
  max_timestamp: number;
  last_timestamp: number;
  last_value: Uint8Array;
  data: Uint8Array;
}

/** One series of strings, histograms or files: what is known of its entries without counting them. */
export interface EntrySeriesTable {
  rid: number;
  key_id: number;
  /** That of its key. */
  kind: number;
  entries: number;
  first_step: number;
  /** Step and time of the last entry by both. */
  last_step: number;
  last_timestamp: number;
}

export interface SeriesEntriesTable {
  /** In the order of logging. */
  id: Generated<number>;
  rid: number;
  key_id: number;
  step: number;
  timestamp: number;
  /** Of the value: the same entry is kept once. */
  digest: string;
  /** Bytes of the value, or of the file that it names; null where they are not known. */
  size: number | null;
  /** UTF-8: the string, the histogram as JSON, or the file's path. Bytes, since not every database keeps every character. */
  value: Uint8Array;
}

export interface DatasetsTable {
  id: Generated<number>;
  experiment_id: number;
  name: string;
  digest: string;
  source_type: string;
  source: string;
  schema_text: string | null;
  profile: string | null;
}
export interface RunDatasetsTable {
  rid: number;
  dataset_id: number;
  /** The tag mlflow.data.context, for searching. */
  context: string | null;
  /** JSON list of {key, value}. */
  tags: string;
}
export interface RunModelsTable {
  rid: number;
  model_id: string;
  /** 0 input, 1 output. */
  direction: number;
  step: number;
}

export interface LoggedModelsTable {
  model_id: string;
  experiment_id: number;
  name: string;
  artifact_uri: string;
  status: number;
  status_message: string | null;
  model_type: string;
  source_run_id: string;
  created_at: number;
  updated_at: number;
  deleted: number;
}
export interface LoggedModelTextTable {
  model_id: string;
  text_key: string;
  head: string;
  rest: string | null;
}
/** The latest point, least and greatest value of each series that was logged for a model. */
export interface LoggedModelMetricsTable {
  model_id: string;
  series_id: number;
  metric_key: string;
  dataset_name: string | null;
  dataset_digest: string | null;
  run_id: string;
  value: number | null;
  infinite: number;
  min_value: number | null;
  max_value: number | null;
  step: number;
  timestamp: number;
  points: number;
}

export interface TrackingTables {
  experiments: ExperimentsTable;
  experiment_tags: ExperimentTagsTable;
  runs: RunsTable;
  run_keys: RunKeysTable;
  run_params: RunTextTable;
  run_tags: RunTextTable;
  latest_metrics: LatestMetricsTable;
  metric_series: MetricSeriesTable;
  metric_chunks: MetricChunksTable;
  entry_series: EntrySeriesTable;
  series_entries: SeriesEntriesTable;
  datasets: DatasetsTable;
  run_datasets: RunDatasetsTable;
  run_models: RunModelsTable;
  logged_models: LoggedModelsTable;
  logged_model_params: LoggedModelTextTable;
  logged_model_tags: LoggedModelTextTable;
  logged_model_metrics: LoggedModelMetricsTable;
}
