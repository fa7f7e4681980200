import type { RunTiming } from './model-runtime.port.ts';

/** Times of runs of one size; microseconds. */
export interface BatchSizeStatistics {
  runs: number;
  inputMicros: number;
  inferMicros: number;
  outputMicros: number;
}

/** Sizes of runs that are told apart exactly. */
const MAX_SIZES = 1000;

/** What Triton's statistics extension tells of a version: counts and cumulated microseconds since it was first served by this process. */
export class InferenceStatistics {
  /** Milliseconds since the epoch of the last answered request; 0: none yet. */
  lastInference = 0;
  /** Rows answered by runs (not from the cache), and the runs that it took. */
  inferences = 0;
  executions = 0;
  success = 0;
  successMicros = 0;
  fail = 0;
  failMicros = 0;
  queueMicros = 0;
  inputMicros = 0;
  inferMicros = 0;
  outputMicros = 0;
  cacheHits = 0;
  cacheHitMicros = 0;
  cacheMisses = 0;
  cacheMissMicros = 0;
  /** By the code of the error. */
  readonly failures = new Map<string, number>();
  readonly batches = new Map<number, BatchSizeStatistics>();

  answered(at: number, rows: number, micros: number, timing: RunTiming): void {
    this.lastInference = at;
    this.success++;
    this.successMicros += micros;
    if (timing.cache === 'hit') {
      // As Triton counts: an answer from the cache is a success, and no inference.
      this.cacheHits++;
      this.cacheHitMicros += timing.cacheMicros ?? 0;
      return;
    }
    if (timing.cache === 'miss') {
      this.cacheMisses++;
      this.cacheMissMicros += timing.cacheMicros ?? 0;
    }
    this.inferences += rows;
    this.executions += timing.executions;
    this.queueMicros += timing.queue;
    this.inputMicros += timing.input;
    this.inferMicros += timing.infer;
    this.outputMicros += timing.output;
    if (timing.executions === 0) return;
    const size = this.#sizeOf(timing.batchRows);
    size.runs += timing.executions;
    size.inputMicros += timing.input;
    size.inferMicros += timing.infer;
    size.outputMicros += timing.output;
  }

  /** Clients choose how many rows they send: beyond so many sizes, others count as the next power of two. */
  #sizeOf(rows: number): BatchSizeStatistics {
    let key = rows;
    let size = this.batches.get(key);
    if (size === undefined && this.batches.size >= MAX_SIZES) {
      key = 2 ** Math.ceil(Math.log2(Math.max(1, rows)));
      size = this.batches.get(key);
    }
    if (size === undefined) {
      size = { runs: 0, inputMicros: 0, inferMicros: 0, outputMicros: 0 };
      this.batches.set(key, size);
    }
    return size;
  }

  failed(code: string, micros: number): void {
    this.fail++;
    this.failMicros += micros;
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
  }
}
