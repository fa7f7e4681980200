import type { TensorSpec } from '@binnacle/contract';
import type { Tensor } from './tensor.ts';

export interface LoadOptions {
  /** 'auto' measures a run at warm-up: inline under about 200 µs, a worker thread above. */
  tier?: 'auto' | 'inline' | 'worker';
  /** Worker threads, each with its own session; 1 by default. */
  instances?: number;
  /** Intra-op threads of a session. */
  threads?: number;
  /** How error messages name the model; the file's name by default. */
  label?: string;
  /** Real inputs for the warm-up, rows in the first dimension: made-up values would fail in a model with, say, known categories. */
  sample?: Tensor[];
}

/** A model in memory, warmed up. */
export interface LoadedModel {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  readonly tier: 'inline' | 'worker';
  /** Median time of one warm-up run of a single row, microseconds. */
  readonly runMicros: number;
  /** True when the first dimension of every input and output is free, so that rows of several requests can be run together. */
  readonly batchable: boolean;
  /** Microseconds spent inside the runtime so far, summed over its threads; undefined when it cannot tell. */
  readonly busyMicros?: number | undefined;
  /** One run. Outputs default to all. Throws `invalid` for wrong names, types or shapes and for what the graph itself rejects. */
  run(inputs: Tensor[], outputs?: string[]): Promise<Tensor[]>;
  /** Frees it after the runs in flight. Never terminates a run. */
  close(): Promise<void>;
}

/** What executes a model version: ONNX Runtime in process, later remote servers. */
export interface ModelRuntime {
  /** Throws `invalid` (onnx_invalid) for a file that is no servable graph, `internal` (runtime_missing) when the runtime itself does not load. */
  load(file: string, options?: LoadOptions): Promise<LoadedModel>;
}
