import type { InferReply, RunCall, Tensor, VersionInfo } from '../../serving/index.ts';

/** A place in a registered region of shared memory, bytes. */
export interface MemorySpan {
  region: string;
  offset: number;
  byteSize: number;
}

export interface RequestedOutput {
  name: string;
  /** As bytes behind the JSON (REST only; gRPC has raw_output_contents). */
  binary: boolean;
  /** The best so many classes instead of the tensor; 0 or absent: the tensor. */
  classification?: number | undefined;
  memory?: MemorySpan | undefined;
}

/** An infer request, free of any transport. */
export interface InferenceRequest {
  id: string | undefined;
  /** The tensors, those from shared memory read; or how to make them once the version is chosen. */
  inputs: Tensor[] | ((version: VersionInfo) => Tensor[]);
  /** Undefined: all. */
  outputs: RequestedOutput[] | undefined;
  /** How outputs go back that are not named in `outputs`. */
  binaryDefault: boolean;
  /** Priority, time-out, sequence and custom parameters (`callOf`); undefined when there are none. */
  call: RunCall | undefined;
}

/** An output as it goes back. With `memory` the values have been written there, and only name, datatype and shape go back. */
export interface ReplyOutput extends Tensor {
  binary: boolean;
  memory?: MemorySpan | undefined;
}

export interface InferenceReply {
  model: string;
  version: number;
  id: string;
  outputs: ReplyOutput[];
  finish: InferReply['finish'];
  release: InferReply['release'];
}

/** What a front-end knows of a request beside its message. */
export interface InferenceMeta {
  requestId?: string | undefined;
  eventTime?: number | undefined;
  receivedAt: number;
  startedAt: number;
  /** A header (lower case), or a cookie behind `cookie:`. */
  header?: ((name: string) => string | undefined) | undefined;
  /** Aborted when the client has gone. */
  signal?: AbortSignal | undefined;
  /** For traces; HTTP by default. */
  transport?: 'HTTP' | 'GRPC' | undefined;
}

export interface ModelMetadata {
  name: string;
  versions: string[];
  platform: string;
  inputs: { name: string; datatype: string; shape: number[] }[];
  outputs: { name: string; datatype: string; shape: number[] }[];
}

/** Times are nanoseconds. */
export interface StatisticDuration {
  count: number;
  ns: number;
}

/** inference.ModelStatistics in its JSON form. */
export interface ModelStatistics {
  name: string;
  version: string;
  last_inference: number;
  inference_count: number;
  execution_count: number;
  inference_stats: Record<'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output' | 'cache_hit' | 'cache_miss', StatisticDuration>;
  response_stats: Record<string, never>;
  batch_stats: { batch_size: number; compute_input: StatisticDuration; compute_infer: StatisticDuration; compute_output: StatisticDuration }[];
  memory_usage: { type: string; id: number; byte_size: number }[];
}

/** inference.ModelConfig in its JSON form (field names as in model_config.proto, enums by name). */
export type ModelConfig = Record<string, unknown> & { name: string };

export interface IndexEntry {
  name: string;
  version?: string;
  state?: string;
  reason?: string;
}
