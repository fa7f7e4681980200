import type { TensorSpec } from '@binnacle/contract';
import type { RemoteSpec, Signature } from '../registry/index.ts';
import type { RunCall, Tensor } from '../serving/index.ts';
import type { HttpPeerOptions } from './http-peer.ts';

/** What a server elsewhere says of a model. */
export interface RemoteModelFacts {
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  /** Rows of several requests may be merged. */
  batchable: boolean;
  /** The server judges the inputs itself: some may be optional, and what it says of them is not all. */
  checksInputs: boolean;
}

export interface RemoteCall {
  /** `performance.now()` at which nobody waits any more. */
  deadline: number;
  signal?: AbortSignal | undefined;
  /** The server was away a moment ago: no second try at a connection, so that requests fail at once instead of piling up. */
  knownAway?: boolean | undefined;
  /** The request's, for protocols that carry priority, sequence and parameters on. */
  call?: RunCall | undefined;
}

/** A model on a server elsewhere, in one protocol. Everything throws as remote/errors.ts says. */
export interface RemoteClient {
  describe(call: RemoteCall): Promise<RemoteModelFacts>;
  /** Whether the server is there and has the model; throws when not. */
  probe(call: RemoteCall): Promise<void>;
  /** The outputs asked for, in that order; all that there are for none. */
  infer(inputs: Tensor[], outputs: readonly string[], call: RemoteCall): Promise<Tensor[]>;
  close(): void;
}

/** What a protocol's client is made of. */
export interface RemoteTarget {
  spec: RemoteSpec;
  signature: Signature | null;
  /** How errors name the server. */
  label: string;
  /** For `new HttpPeer`, less the address. */
  http: Omit<HttpPeerOptions, 'url'>;
  /** The token; undefined without one. Asked for each request. */
  token(): string | undefined;
}

export type RemoteClientFactory = (target: RemoteTarget) => Promise<RemoteClient> | RemoteClient;
