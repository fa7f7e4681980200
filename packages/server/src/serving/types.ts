import type { ColumnSpec, Endpoint, EndpointConfig, EndpointDetail, LatencyStats, ServedVersion, TensorSpec, TrafficTarget } from '@binnacle/contract';
import type { ModelPackage } from '../registry/index.ts';
import type { ModelTier, RunCall, RunTiming } from './model-runtime.port.ts';
import type { Tensor } from './tensor.ts';
import type { Column, Table } from '../tables/index.ts';

export type { ColumnSpec, Endpoint, EndpointConfig, EndpointDetail, LatencyStats, ServedVersion, TensorSpec, TrafficTarget };

/** A version in memory, with what is needed to feed it. */
export interface VersionInfo {
  readonly model: string;
  readonly version: number;
  readonly pkg: ModelPackage;
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  readonly tier: ModelTier;
  /** Whether the first dimension of every input and output is the batch. */
  readonly batchable: boolean;
  /** Measured at warm-up, microseconds; NaN when no made-up input was accepted. */
  readonly runMicros: number;
  /** The table's columns by the signature; null when the model takes any columns in the graph's order, or tensors only. */
  readonly columns: ColumnSpec[] | null;
  /** A table as the graph's inputs. Throws `invalid` naming row and column; `text` lets strings (CSV) stand for numbers. */
  toTensors(table: Table, options?: { text?: boolean }): Tensor[];
}

/** A version opened for gates or batch: closed by whoever opened it. */
export interface OpenVersion extends VersionInfo {
  /** Rows in, columns out: an output [N] or [N,1] is one column `name`, an output [N,K] K columns `name[0]` … */
  predictTable(table: Table): Promise<Column[]>;
  run(inputs: Tensor[], outputs?: string[], call?: RunCall): Promise<Tensor[]>;
  /** Microseconds spent inside the runtime so far; undefined when it cannot tell. */
  readonly busyMicros?: number | undefined;
  close(): Promise<void>;
}

/** A request as the protocols hand it over: one or more instances in tensors. */
export interface InferRequest {
  endpoint: string;
  /** Pins a registry version that the endpoint serves; by traffic when absent. */
  version?: number | undefined;
  /** The graph's inputs, or how to make them once the version is chosen. */
  inputs: Tensor[] | ((version: VersionInfo) => Tensor[]);
  outputs?: string[] | undefined;
  /** Shadows get copies of the inputs, whose memory is then the caller's again as soon as `finish` has been called: it returns nothing to wait for. */
  copyForShadows?: boolean | undefined;
  /** Priority, time-out, sequence, cancellation. */
  call?: RunCall | undefined;
  /** A header (lower case) or, behind `cookie:`, a cookie of the request: what the traffic may be split by. */
  header?: ((name: string) => string | undefined) | undefined;
  requestId: string;
  /** Milliseconds since the epoch, when the caller said so. */
  eventTime?: number | undefined;
  /** Milliseconds since the epoch, and `performance.now()`, when the request came. */
  receivedAt: number;
  startedAt: number;
}

/** Which version answered, and its outputs in the order asked for. */
export interface InferReply {
  version: VersionInfo;
  outputs: Tensor[];
  timing: RunTiming;
  /** To be called once the reply has been handed to the socket: counts, logs the prediction, feeds shadows. The inputs' memory may be reused when it resolves. */
  finish(): Promise<void> | undefined;
  /**
   * Frees the memory of large inputs and outputs, once the reply has been handed to the operating system (not only to the stream) and `finish` has
   * resolved. An input in memory of its own, not in a body, is freed, too. Undefined when nothing is large.
   */
  release: (() => void) | undefined;
}
