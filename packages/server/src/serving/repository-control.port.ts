/** A version of a model as a repository's index tells it; a model that was never loaded has no version. */
export interface RepositoryIndexEntry {
  name: string;
  version: string | undefined;
  state: 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE' | undefined;
  /** Why it is in this state; '' when there is nothing to say. */
  reason: string;
}

/** What a load may bring along. */
export interface RepositoryLoad {
  /** Triton's ModelConfig as JSON text, used instead of the repository's own. */
  config?: string | undefined;
  /** Files by their path under the model's folder (`1/model.onnx`), instead of the folder's own. */
  files?: ReadonlyMap<string, Uint8Array> | undefined;
}

/**
 * Models that come from elsewhere than the registry (mounted repository folders), controlled by the repository extension of Open Inference.
 * Each is served as an endpoint of its name.
 */
export interface RepositoryControl {
  /** Names under which clients may ask for one repository alone. */
  readonly repositories: readonly string[];
  /** Every model that could be loaded, by `repository` or of all. */
  index(repository?: string): Promise<RepositoryIndexEntry[]>;
  /** Whether a repository holds a model of this name. */
  has(model: string): Promise<boolean>;
  /** Throws `unavailable` when the mode does not allow it, `invalid` for a configuration or file that cannot be served. */
  load(model: string, load: RepositoryLoad): Promise<void>;
  /** Resolves when it takes no new requests; `dependents`: the steps of an ensemble too. */
  unload(model: string, options: { dependents: boolean }): Promise<void>;
}
