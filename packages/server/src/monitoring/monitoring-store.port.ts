import type { Alarm, MonitorConfig } from '@binnacle/contract';
import type { Level } from './drift/windows.ts';
import type { SegmentManifest } from './prediction-log.port.ts';
import type { TrainingProfile } from './training/training-profile.ts';
import type { StoredSource } from './types.ts';

/** Counts of one endpoint, model, version and source in a bucket of event time: an endpoint may be deleted and made again for another model. */
export interface BucketCounts {
  endpoint: string;
  model: string;
  /** 0 for requests that failed before a version was chosen. */
  version: number;
  source: StoredSource;
  start: number;
  requests: number;
  predictions: number;
  /** Rows in the profile: fewer than predictions where sampled. */
  rows: number;
  errors: number;
  scoreSum: number;
  scoreCount: number;
  predictionSum: number;
  predictionCount: number;
  /** An encoded LatencyHistogram. */
  latency: Uint8Array | null;
}

/** What is added to a stored bucket. The writer sends every level. */
export interface BucketDelta extends BucketCounts {
  level: Level;
  /** An encoded ProfileSet. */
  profile: Uint8Array | null;
}

/** What is added to an endpoint's totals. */
export interface ActivityDelta {
  endpoint: string;
  model: string;
  predictions: number;
  errors: number;
  /** Rows that were left out of log and profile under overload. */
  dropped: number;
  firstAt: number | null;
  lastAt: number | null;
  /** Newest event time of live requests. */
  watermark: number | null;
  lastReceivedAt: number;
  /** Rows that this session has recorded for the endpoint, from its start up to here. */
  recorded: number;
}

/** An endpoint's monitor with its totals over all time. Times are milliseconds since the epoch. */
export interface MonitorRecord {
  endpoint: string;
  model: string;
  /** Null until somebody sets it: the defaults hold. */
  config: MonitorConfig | null;
  predictions: number;
  errors: number;
  /** Predictions whose ground truth is known. */
  labelled: number;
  /** Rows left out of log and profile under overload. */
  dropped: number;
  /** Rows that a crash took before they were written, as the intake ledger says. */
  lost: number;
  firstAt: number | null;
  lastAt: number | null;
  /** Newest event time of live requests: a window before it is complete. */
  watermark: number | null;
  lastReceivedAt: number | null;
}

/** Buckets of one size; of every version when none is named. */
export interface BucketQuery {
  endpoint: string;
  model: string;
  sources: StoredSource[];
  level: Level;
  /** Bucket starts in [from, to). */
  from: number;
  to: number;
  version?: number | undefined;
}

/** Alarms that match all that is given. */
export interface AlarmQuery {
  endpoint?: string | undefined;
  state?: 'open' | 'closed' | undefined;
  version?: number | undefined;
  limit: number;
}

/** Metadata of monitoring, durable when a call returns. */
export interface MonitoringStore extends SegmentManifest {
  /** Adds buckets and totals in one transaction. */
  addActivity(session: string, buckets: BucketDelta[], activity: ActivityDelta[]): Promise<void>;
  /** Rows that a session has stored, by endpoint: the last `recorded` of its activity. */
  intakeMarks(session: string): Promise<{ endpoint: string; recorded: number }[]>;
  /**
   * Ends a session that was killed: adds what the log still had of it, then counts what it recorded beyond what is stored now as lost, in one
   * transaction and once. Returns the losses above 0.
   */
  settleIntake(
    session: string,
    recorded: { endpoint: string; rows: number }[],
    recovered: { buckets: BucketDelta[]; activity: ActivityDelta[] },
  ): Promise<{ endpoint: string; rows: number }[]>;
  listMonitors(): Promise<MonitorRecord[]>;
  getMonitor(endpoint: string): Promise<MonitorRecord | null>;
  setConfig(endpoint: string, model: string, config: MonitorConfig): Promise<void>;
  /** Sets the count of labelled predictions, after a recount. */
  setLabelled(endpoint: string, labelled: number): Promise<void>;
  /** Adds to it, after labels came. */
  addLabelled(endpoint: string, labelled: number): Promise<void>;
  /** Counts by bucket, oldest first. */
  counts(query: BucketQuery): Promise<BucketCounts[]>;
  /** Encoded profiles by bucket, oldest first; buckets without rows are left out. */
  profiles(query: BucketQuery): Promise<{ version: number; start: number; rows: number; profile: Uint8Array }[]>;
  /** Profiled rows and newest bucket by version, over all time. */
  versions(endpoint: string, model: string, sources: StoredSource[]): Promise<{ version: number; rows: number; newest: number }[]>;
  /** `packageId` tells whose profile it is: names and numbers come again when a model is renamed or deleted and another takes its name. */
  putTrainingProfile(model: string, version: number, packageId: string, profile: TrainingProfile): Promise<void>;
  getTrainingProfile(model: string, version: number): Promise<{ packageId: string; profile: TrainingProfile } | null>;
  deleteTrainingProfile(model: string, version: number): Promise<void>;
  /** Newest first. */
  listAlarms(query: AlarmQuery): Promise<Alarm[]>;
  /** Inserts new alarms (emitting `alarm.raised` for each) and replaces changed ones, in one transaction. */
  saveAlarms(raised: Alarm[], changed: Alarm[]): Promise<void>;
  /** How many are open, by endpoint; endpoints without one are left out. */
  openAlarms(): Promise<{ endpoint: string; count: number }[]>;
}
