import type { BatchJob, BatchSpec } from '@binnacle/contract';

export type { BatchJob, BatchSpec };
export type BatchJobState = BatchJob['state'];

/** What a job's output depends on. Two runs with the same fingerprint write the same rows. */
export interface Fingerprint {
  model: string;
  version: number;
  /** The version's id: another model may have come to its name. */
  packageId: string;
  /** Hash of the input's paths, sizes and times of change. */
  input: string;
  chunkRows: number;
  outputFormat: string;
  singleFile: boolean;
  columns: string[] | null;
  select: string | null;
  where: string | null;
  withIds: boolean;
}

/** A job as it is stored. */
export interface JobRecord {
  id: string;
  state: BatchJobState;
  spec: BatchSpec;
  model: string;
  version: number;
  fingerprint: Fingerprint;
  /** Real path: the folder, or with singleFile the file. */
  output: string;
  createdAt: number;
  startedAt: number | null;
  endedAt: number | null;
  rowsTotal: number | null;
  chunksTotal: number | null;
  /** Lines of text input that are no rows. */
  rowsRejected: number;
  /** Sums over the ledger. */
  rowsDone: number;
  rowsFailed: number;
  chunksDone: number;
  inferenceMs: number;
  /** Milliseconds spent running, over all attempts. */
  activeMs: number;
  message: string;
  error: string | null;
  /** Counts the starts. Whoever writes must hold the current one, so that a worker that was given up cannot. */
  attempt: number;
}

/** A chunk that is on disk under its final name. */
export interface ChunkRecord {
  chunk: number;
  /** Name of the part in the output folder. */
  file: string;
  /** Rows in the part. */
  rows: number;
  /** Rows that went to the errors file. */
  failed: number;
  bytes: number;
  inferenceMs: number;
}

export type BatchFileKind = 'part' | 'errors' | 'merged' | 'marker' | 'manifest';
export interface BatchFile {
  name: string;
  kind: BatchFileKind;
  rows: number | null;
  bytes: number;
}
