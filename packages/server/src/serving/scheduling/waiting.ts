import type { RunCall } from '../model-runtime.port.ts';
import type { Tensor } from '../tensor.ts';

/** A request from the moment it queues until its answer. */
export interface Waiting {
  inputs: Tensor[];
  outputs: string[];
  /** Of the batch; 0: it runs alone. */
  rows: number;
  call: RunCall | undefined;
  /** Milliseconds by the ticker; `deadline` is Infinity without one. */
  since: number;
  deadline: number;
  /** `gone` and `taken` are skipped in the queue, so that leaving it costs nothing. */
  state: 'waiting' | 'taken' | 'gone';
  /** With ordered replies: hands the answer over when its turn comes. */
  inTurn: ((give: () => void) => void) | undefined;
  /** Stops listening to the request's signal. */
  unlisten: (() => void) | undefined;
  resolve(outputs: Tensor[]): void;
  reject(error: unknown): void;
}
