import type { LogRow, LogRows } from './log-rows.ts';
import type { StoredSource } from './types.ts';

export type { LogRow } from './log-rows.ts';

/** A label as it is kept: text for comparing classes, a number where it is one. */
export interface Label {
  predictionId: string;
  label: string;
  labelNumber: number | null;
  labelAt: number;
}

/** What became of labels, counted by prediction. */
export interface LabelOutcome {
  matched: number;
  unmatched: number;
  /** Matched predictions that had no label before. */
  newlyMatched: number;
}

/** A page of the log. `from` and `to` are event times, [from, to); a prediction is found by its own id and by `request:index`. */
export interface LogQuery {
  endpoint: string;
  from?: number | undefined;
  to?: number | undefined;
  predictionId?: string | undefined;
  /** Strictly older than this key. */
  before?: { ts: number; predictionId: string; version: number } | undefined;
  limit: number;
}
export type LoggedPrediction = LogRow & { label: string | null };

/** Windows of event time in [from, to), milliseconds since the epoch. */
export interface QualityQuery {
  endpoint: string;
  model: string;
  version?: number | undefined;
  sources: StoredSource[];
  from: number;
  to: number;
  /** Window starts are at origin + k · windowMs. */
  windowMs: number;
  originMs: number;
  /** The label that counts as 1 in scores; undefined when the labels are not two classes. */
  positive: string | undefined;
}

/** Sums over the labelled rows of a window. */
export interface QualitySums {
  start: number;
  predictions: number;
  labelled: number;
  /** Rows whose prediction is, as text, the label; and rows that had a prediction. */
  correct: number;
  predicted: number;
  /** Rows with a score and their positives. */
  scored: number;
  positives: number;
  /** Of scores against 0/1: squared error, log loss (natural), rows where score ≥ 0.5 agrees with the label. */
  squaredError: number;
  logLoss: number;
  thresholded: number;
  /** Exact area under the ROC curve, ties counted half; null with one class only. */
  auc: number | null;
  /** Rows with a numeric prediction and label; sums of squared and absolute differences. */
  numeric: number;
  squaredResidual: number;
  absoluteResidual: number;
}

/** A sealed file of the log, immutable. */
export interface LogSegment {
  id: string;
  kind: 'predictions' | 'labels';
  /** Relative to the log's folder. */
  path: string;
  rows: number;
  bytes: number;
  minTs: number;
  maxTs: number;
  createdAt: number;
}

/** The list of sealed files: the truth about which of them count. */
export interface SegmentManifest {
  listSegments(): Promise<LogSegment[]>;
  /** Adds some and forgets others in one transaction. Adding one that is there changes nothing. */
  changeSegments(add: LogSegment[], remove: string[]): Promise<void>;
}

/** The raw prediction log and the ground truth, joined by prediction id. */
export interface PredictionLog {
  /** Durable when it returns. The rows are given away: their memory is not to be used again. */
  append(rows: LogRows): Promise<void>;
  /** Durable when it returns; a label sent again replaces the former one. Labels without a prediction wait for it. */
  addLabels(endpoint: string, labels: Label[]): Promise<LabelOutcome>;
  /** Rows of a session beyond an ordinal, by endpoint, in the order in which they were taken. */
  beyond(session: string, marks: { endpoint: string; ordinal: number }[]): Promise<LogRow[]>;
  /** Newest event first. */
  list(query: LogQuery): Promise<LoggedPrediction[]>;
  /** Up to `limit` rows of a span, evenly sampled with a fixed seed. */
  sample(query: {
    endpoint: string;
    model: string;
    version: number;
    from: number;
    to: number;
    limit: number;
  }): Promise<Pick<LogRow, 'features' | 'prediction' | 'predictionNumber' | 'score'>[]>;
  /** Different labels of an endpoint, at most `limit`. */
  labelValues(endpoint: string, limit: number): Promise<string[]>;
  countLabelled(endpoint: string): Promise<number>;
  /** One row a window, oldest first. */
  quality(query: QualityQuery): Promise<QualitySums[]>;
  /** Seals what is hot when it is old or large enough (or now), and merges the files of past days. */
  maintain(force?: boolean): Promise<void>;
  close(): Promise<void>;
}
