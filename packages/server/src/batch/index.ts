/** Batch prediction: tables of any size through a model, chunk by chunk, restartable. */
export { type BatchDeps, type BatchService, createBatchService } from './batch.service.ts';
export type {
  BatchInput,
  BatchInputEngine,
  BatchInputRequest,
  FeatureArray,
  FeatureColumn,
  FeatureRows,
  OutputColumn,
  RejectedLine,
  RejectedLines,
  RowRange,
  WriteRequest,
} from './batch-input.port.ts';
export type { BatchStore, JobQuery } from './batch-store.port.ts';
export type { BatchFile, BatchFileKind, BatchJob, BatchJobState, BatchSpec, ChunkRecord, Fingerprint, JobRecord } from './types.ts';
