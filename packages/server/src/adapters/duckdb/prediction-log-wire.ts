import type { SerializedError } from '../../kernel/index.ts';
import type { LogSegment, SegmentManifest } from '../../monitoring/prediction-log.port.ts';

export interface WorkerOptions {
  dir: string;
  sealAfterMs?: number;
  sealRows?: number;
  memoryLimit?: string;
}
/** A call to the log in its thread, or the answer to a call that the thread made to the manifest. */
export type ToWorker = { call: number; method: string; args: unknown[] } | { answer: number; value?: unknown; error?: SerializedError };
/** The answer to a call, or a call to the manifest, which lives in the main thread. */
export type FromWorker =
  | { answer: number; value?: unknown; error?: SerializedError }
  | { call: number; method: keyof SegmentManifest; args: [] | [LogSegment[], string[]] };
