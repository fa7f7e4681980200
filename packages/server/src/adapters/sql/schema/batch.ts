export interface BatchJobsTable {
  id: string;
  state: string;
  model: string;
  version: number;
  /** BatchSpec as JSON. */
  spec: string;
  /** Fingerprint as JSON. */
  fingerprint: string;
  output: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  rows_total: number | null;
  chunks_total: number | null;
  rows_rejected: number;
  rows_done: number;
  rows_failed: number;
  chunks_done: number;
  inference_ms: number;
  active_ms: number;
  message: string;
  error: string | null;
  attempt: number;
}

export interface BatchChunksTable {
  job_id: string;
  chunk: number;
  file: string;
  rows_written: number;
  rows_failed: number;
  bytes: number;
  inference_ms: number;
}

export interface BatchTables {
  batch_jobs: BatchJobsTable;
  batch_chunks: BatchChunksTable;
}
