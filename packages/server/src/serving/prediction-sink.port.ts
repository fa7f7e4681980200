import type { Column } from '../tables/index.ts';

/** One answered request (or one sampled chunk of a batch job): `rows` instances in columns. */
export interface PredictionBatch {
  endpoint: string;
  model: string;
  version: number;
  source: 'live' | 'batch';
  shadow: boolean;
  /** A prediction's id is `${requestId}:${index}`, index from 0. */
  requestId: string;
  /** Ids of single predictions when the caller brought its own, one a row. */
  predictionIds?: string[] | undefined;
  /** Milliseconds since the epoch: when the request came, and when the event happened (the caller's word, else the same). */
  receivedAt: number;
  eventTime: number | Float64Array;
  latencyMs: number;
  rows: number;
  /** Model inputs by column and model outputs by column (a [N,2] probability output becomes two columns `name[0]`, `name[1]`). */
  features: Column[];
  outputs: Column[];
  /** Rows that each row here stands for (1 unless the caller sampled). */
  weight?: number;
}

/** A request that got an error; `version` is null when none had been chosen. `at` is in milliseconds since the epoch. */
export interface FailedRequest {
  endpoint: string;
  model: string;
  version: number | null;
  at: number;
  latencyMs: number;
  /** The stable code of the error. */
  code: string;
}

/** An answered live request that the endpoint's sample leaves out: counted, not looked at. `at` is in milliseconds since the epoch. */
export interface CountedRequest {
  endpoint: string;
  model: string;
  version: number;
  at: number;
  latencyMs: number;
  /** Rows that no sampled request stands for: all of them where nothing is sampled, else 0. */
  rows: number;
}

/** Told of every prediction after its reply has been sent. The calls return at once and never throw. */
export interface PredictionSink {
  record(batch: PredictionBatch): void;
  recordCount(request: CountedRequest): void;
  recordFailure(failure: FailedRequest): void;
}
/** With monitoring off. */
export const nullSink: PredictionSink = { record() {}, recordCount() {}, recordFailure() {} };
