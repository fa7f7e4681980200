export interface MonitorsTable {
  endpoint: string;
  model: string;
  config: string | null;
  predictions: number;
  errors: number;
  labelled: number;
  dropped: number;
  lost: number;
  first_at: number | null;
  last_at: number | null;
  watermark: number | null;
  last_received_at: number | null;
}

export interface MonitorBucketsTable {
  endpoint: string;
  model: string;
  version: number;
  source: string;
  /** Length of the bucket, milliseconds. */
  level: number;
  start: number;
  requests: number;
  predictions: number;
  profiled: number;
  errors: number;
  score_sum: number;
  score_count: number;
  prediction_sum: number;
  prediction_count: number;
  latency: Uint8Array | null;
  profile: Uint8Array | null;
}

export interface TrainingProfilesTable {
  model: string;
  version: number;
  package_id: string;
  source: string;
  profile: string;
  created_at: number;
}

export interface AlarmsTable {
  id: string;
  endpoint: string;
  version: number;
  kind: string;
  feature: string | null;
  state: string;
  severity: string;
  message: string;
  first_window: number;
  last_window: number;
  raised_at: number;
  closed_at: number | null;
  value: number;
  threshold: number;
}

export interface LogSegmentsTable {
  id: string;
  kind: string;
  path: string;
  row_count: number;
  bytes: number;
  min_ts: number;
  max_ts: number;
  created_at: number;
}

export interface IntakeMarksTable {
  session: string;
  endpoint: string;
  recorded: number;
}

export interface MonitoringTables {
  monitors: MonitorsTable;
  monitor_buckets: MonitorBucketsTable;
  training_profiles: TrainingProfilesTable;
  alarms: AlarmsTable;
  log_segments: LogSegmentsTable;
  intake_marks: IntakeMarksTable;
}
