import type { RemoteSpec, Signature, TensorSpec } from './types.ts';

/** Asks a server elsewhere about a model that is being registered. */
export interface RemoteInspector {
  /** What the model takes and gives; null when the server is away, or does not say. Throws `invalid` for a place that this server may not call. */
  inspect(spec: RemoteSpec, signature: Signature | null): Promise<{ inputs: TensorSpec[]; outputs: TensorSpec[] } | null>;
}
