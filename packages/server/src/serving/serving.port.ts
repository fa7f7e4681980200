import type { EndpointConfig, TrafficTarget } from '@binnacle/contract';
import type { ModelPackage, VersionRef } from '../registry/index.ts';

/** What an endpoint last served without complaint: what to fall back on when, after a restart, the desired version does not load. */
export interface ServedTarget {
  version: number;
  weight: number;
  shadow: boolean;
}

/** What an endpoint is to serve. Times are milliseconds since the epoch. */
export interface EndpointRecord {
  name: string;
  model: string;
  description: string;
  traffic: TrafficTarget[];
  config: EndpointConfig;
  /** Unloaded by request: serves nothing until it is loaded again. */
  suspended: boolean;
  createdAt: number;
  updatedAt: number;
  /** Counts the changes; a replica reconciles by it. */
  revision: number;
  lastServed: ServedTarget[];
}

/** A change of an endpoint, and the traffic from then on. `at` is in milliseconds since the epoch. */
export interface EndpointChange {
  revision: number;
  kind: 'deployed' | 'rolled_back' | 'loaded' | 'unloaded';
  reason: string;
  traffic: TrafficTarget[];
  at: number;
}

/** Endpoints, durably. Every change emits `endpoint.changed` or `endpoint.deleted` in its transaction. */
export interface EndpointStore {
  listEndpoints(): Promise<EndpointRecord[]>;
  getEndpoint(name: string): Promise<EndpointRecord | null>;
  /** Creates or changes; throws `conflict` (endpoint_model_fixed) when the endpoint serves another model. */
  putEndpoint(endpoint: {
    name: string;
    model: string;
    traffic: TrafficTarget[];
    description?: string | undefined;
    config?: EndpointConfig | undefined;
    /** What the history says of it; 'deployed' without a reason by default. */
    change?: Pick<EndpointChange, 'kind' | 'reason'> | undefined;
    /** Only when the endpoint is at this revision; else throws `conflict` (endpoint_changed). */
    ifRevision?: number | undefined;
  }): Promise<EndpointRecord>;
  /** The changes of an endpoint that exists, newest first; the last 200 are kept. */
  listChanges(name: string, limit: number): Promise<EndpointChange[]>;
  /** False when there is none. A change is a revision and emits `endpoint.changed`. */
  setSuspended(name: string, suspended: boolean): Promise<boolean>;
  /** False when there is none. */
  deleteEndpoint(name: string): Promise<boolean>;
  /** Remembers what is being served; no event. */
  setLastServed(name: string, served: ServedTarget[]): Promise<void>;
}

/** What serving needs of the registry. */
export interface ModelSource {
  /** Throws `not_found` for an unknown model, version or alias. */
  resolve(model: string, ref: VersionRef): Promise<ModelPackage>;
  /** Aliases and their versions; throws `not_found` for an unknown model. */
  aliases(model: string): Promise<Record<string, number>>;
}
