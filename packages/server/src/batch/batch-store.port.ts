import type { BatchSpec, ChunkRecord, JobRecord } from './types.ts';

export interface JobQuery {
  model?: string | undefined;
  limit: number;
  /** The last job of the page before. */
  after?: { createdAt: number; id: string } | undefined;
}

/** Jobs and the ledger of their chunks, durably. `attempt` fences: a call with an old one throws `conflict` (batch_fenced). */
export interface BatchStore {
  /** Throws `conflict` (batch_output_busy) when a queued or running job writes to the same output. */
  createJob(job: JobRecord): Promise<void>;
  findJob(id: string): Promise<JobRecord | null>;
  /** Newest first. */
  listJobs(query: JobQuery): Promise<JobRecord[]>;
  /** queued → running; the new attempt, or null when the job is not queued any more. */
  startJob(id: string): Promise<number | null>;
  /** failed or cancelled → queued, with a spec that differs in nothing that the fingerprint holds. Throws `conflict` otherwise. */
  requeueJob(id: string, spec: BatchSpec): Promise<JobRecord>;
  noteInput(id: string, attempt: number, facts: { rowsTotal: number; rowsRejected: number; chunksTotal: number }): Promise<void>;
  noteMessage(id: string, attempt: number, message: string): Promise<void>;
  /** The chunk is on disk. Doing it twice counts once. */
  chunkDone(id: string, attempt: number, chunk: ChunkRecord, activeMs: number): Promise<void>;
  listChunks(id: string): Promise<ChunkRecord[]>;
  /** Chunks whose files are gone. */
  forgetChunks(id: string, attempt: number, chunks: number[]): Promise<void>;
  /** Emits `batch.finished`. */
  finishJob(
    id: string,
    attempt: number,
    end: { state: 'succeeded' | 'failed' | 'cancelled'; message: string; error: string | null; activeMs: number },
  ): Promise<void>;
  /** queued → cancelled; false when it is not queued. */
  cancelQueued(id: string): Promise<boolean>;
  /** After a restart: running jobs become failed with this error. Answers the ids of the queued ones, oldest first. */
  recoverJobs(error: string): Promise<{ interrupted: string[]; queued: string[] }>;
}
