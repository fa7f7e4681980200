import type { EndpointConfig, TensorSpec } from '@binnacle/contract';
import type { ModelPackage } from '../registry/index.ts';
import type { Tensor } from './tensor.ts';

export interface LoadOptions
  extends Pick<EndpointConfig, 'tier' | 'isolation' | 'instances' | 'threads' | 'providers' | 'memoryLimitMiB' | 'memoryArena' | 'runTimeoutMs'> {
  /** How error messages name the model; the file's name by default. */
  label?: string;
  /** Real inputs for the warm-up, rows in the first dimension: made-up values would fail in a model with, say, known categories. */
  sample?: Tensor[];
  /** Aborted when nobody waits for it any more: a start that may take long ends, leaves nothing running, and rejects. Others may finish it. */
  signal?: AbortSignal;
}

/** Where a request's time went, microseconds; filled in by whoever spends it. */
export interface RunTiming {
  queue: number;
  input: number;
  infer: number;
  output: number;
  /** Rows of the run that this request was part of. */
  batchRows: number;
  /** 1 for the first request of a run, 0 for those that were merged into it: adds up to the runs. */
  executions: number;
  /** How the response cache answered, and what it took to look and to keep; absent where there is none. */
  cache?: 'hit' | 'miss';
  cacheMicros?: number;
}

export const newTiming = (): RunTiming => ({ queue: 0, input: 0, infer: 0, output: 0, batchRows: 0, executions: 1 });

/** A request's place in a sequence of requests (Triton's sequence extension). */
export interface SequenceCall {
  id: string | bigint;
  start: boolean;
  end: boolean;
}

/** A request's parameter: a plain value, or (MLflow's alone) a list or an object of such. */
export type ParameterValue = string | number | boolean | null | readonly ParameterValue[] | { readonly [key: string]: ParameterValue };

/** What a request asks of its run beside the tensors. */
export interface RunCall {
  /** 1 is the highest; 0: the model's default. */
  priority?: number | undefined;
  /** Longest wait in the queue, microseconds; 0: the model's default. */
  timeoutMicros?: number | undefined;
  /** Aborted when the client has gone or cancelled: a request that waits leaves the queue, an isolated run ends. */
  signal?: AbortSignal | undefined;
  sequence?: SequenceCall | undefined;
  /** The caller's, to be filled in. */
  timing?: RunTiming | undefined;
  /** Parameters of the request, for runtimes that pass them on. */
  parameters?: Readonly<Record<string, ParameterValue>> | undefined;
}

/** When a run reached the runtime and came back, by `performance.now()`; 0 until whoever runs it has filled it in. Before and after it tensors are moved. */
export interface RunMarks {
  called: number;
  returned: number;
}

export type ModelTier = 'inline' | 'worker' | 'process' | 'remote' | 'ensemble';

/**
 * What an adapter hands over: a model in memory (or reached elsewhere), warmed up, that executes and nothing else. Checks of the inputs, the
 * queue, merging, limits and times are the room's, so that they are the same in front of every runtime.
 */
export interface LoadedModel {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  readonly tier: ModelTier;
  /** Median time of one warm-up run of a single row, microseconds; NaN when it was not measured. */
  readonly runMicros: number;
  /** Microseconds that one more row costs in a run of several; equals runMicros where rows cannot be merged, or nobody has tried (they are then merged on request only). */
  readonly rowMicros: number;
  /** True when the first dimension of every input and output is free, so that rows of several requests can be run together. */
  readonly batchable: boolean;
  /** Runs that may be under way at the same time; further requests wait in the room. Infinity where that is another's business. */
  readonly slots: number;
  /** Microseconds spent inside the runtime so far, summed over its threads; undefined when it cannot tell. */
  readonly busyMicros?: number | undefined;
  /** Bytes that the model takes; undefined when it cannot be told. */
  readonly memoryBytes?: number | undefined;
  /** Why it cannot answer now (its server is away, or has ended and is being started again), with what to know about it; undefined when it can. */
  readonly problem?: string | undefined;
  /** Why some of its instances cannot answer now, while others do. */
  readonly shortage?: string | undefined;
  /** True while it can answer nothing at all, so that it is not said to be ready. */
  readonly away?: boolean | undefined;
  /** True when it judges names, datatypes and shapes itself (a server elsewhere, which knows better): the inputs come as the caller gave them. */
  readonly checksInputs?: boolean | undefined;
  /** True when a request's parameters matter to it: one that has some is never merged with others. */
  readonly usesParameters?: boolean | undefined;
  /** True when it ends a run whose signal is aborted, rather than let it finish for nobody. */
  readonly endsOnAbort?: boolean | undefined;
  /** What the runtime cannot carry though the specifications allow it, such as a NUL in a string. Throws `invalid`. */
  check?(inputs: readonly Tensor[]): void;
  /**
   * One run of checked inputs, in the order of `inputs`; the outputs asked for, in that order. Answers at once where the run is short and
   * on this thread. `call` is the request's (absent for merged ones); once its signal is aborted, nobody waits for the answer any more. Who copies
   * tensors to bring them to the runtime says in `marks` when that was done; left alone, all of it counts as the runtime's time.
   * Throws (or rejects with) `invalid` for what the model itself rejects.
   */
  execute(inputs: Tensor[], outputs: string[], call?: RunCall, marks?: RunMarks): Tensor[] | Promise<Tensor[]>;
  /** Frees it. Called when no run is under way any more; never terminates a run. */
  close(): Promise<void>;
}

/** What executes an ONNX graph: ONNX Runtime in process. */
export interface ModelRuntime {
  /** Throws `invalid` (onnx_invalid) for a file that is no servable graph, `internal` (runtime_missing) when the runtime itself does not load. */
  load(file: string, options?: LoadOptions): Promise<LoadedModel>;
}

/** The last lines that a server wrote. */
export interface VersionLog {
  /** The last `limit` lines; with the `next` of an earlier answer the first `limit` that came after it. */
  read(limit: number, after?: string): { lines: { at: number; source: 'stdout' | 'stderr' | 'binnacle'; text: string }[]; next: string };
}

/** What executes packages that are no ONNX graph: a server elsewhere, a supervised server of the framework's own. By `pkg.runtime.kind`. */
export interface PackageRuntime {
  /** What a version's server said lately, also when it is not up any more; undefined when it has none. */
  logs?(version: { model: string; version: number }): VersionLog | undefined;
  /** Throws `invalid` for a package that it cannot run, `unavailable` when what it needs is not there or not reached. */
  load(pkg: ModelPackage, options?: LoadOptions): Promise<LoadedModel>;
}
