import { unavailable } from '../kernel/index.ts';
import type { ModelPackage } from '../registry/index.ts';
import type { LoadOptions } from './model-runtime.port.ts';
import type { EndpointPolicy } from './scheduling/endpoint-policy.ts';
import { LoadedVersion, loadModel, type Runtimes, type SharedModel } from './version.ts';

interface Entry {
  loading: Promise<SharedModel>;
  users: number;
  /** Aborted when the last who waited for it has gone. */
  nobody: AbortController;
}

/** Versions in memory, one copy each however many endpoints serve it. */
export class VersionPool {
  readonly #runtimes: Runtimes;
  readonly #entries = new Map<string, Entry>();

  constructor(runtimes: Runtimes) {
    this.#runtimes = runtimes;
  }

  /**
   * Users that run a version in different ways have a copy each. Closing what comes back lets go of it; the last user's frees the memory. Once
   * `signal` is aborted a load that nobody else waits for is given up, and this rejects with `unavailable` when nothing of it is left.
   */
  async acquire(pkg: ModelPackage, options: LoadOptions = {}, policy?: EndpointPolicy, signal?: AbortSignal): Promise<LoadedVersion> {
    // A deleted version's number may come back with another model.
    const key = `${pkg.id}\n${pkg.model}\n${pkg.version}\n${pkg.onnxFile ?? JSON.stringify(pkg.runtime)}\n${JSON.stringify(options)}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const nobody = new AbortController();
      entry = { loading: loadModel(pkg, this.#runtimes, options, nobody.signal), users: 0, nobody };
      this.#entries.set(key, entry);
      const made = entry;
      entry.loading.catch(() => this.#forget(key, made));
    }
    const held = entry;
    held.users++;
    const shared = await this.#loaded(key, held, signal);
    const release = async (): Promise<void> => {
      held.users--;
      if (held.users > 0) return;
      this.#forget(key, held);
      await shared.loaded.close();
    };
    return new LoadedVersion(shared, release, policy);
  }

  #forget(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  async #loaded(key: string, entry: Entry, signal: AbortSignal | undefined): Promise<SharedModel> {
    if (signal === undefined) return entry.loading;
    let left: Promise<void> | undefined;
    const gone = Promise.withResolvers<undefined>();
    const leave = (): void => {
      left = this.#leave(key, entry);
      gone.resolve(undefined);
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    try {
      const shared = await Promise.race([entry.loading, gone.promise]);
      if (shared !== undefined && left === undefined) return shared;
    } finally {
      signal.removeEventListener('abort', leave);
      await left;
    }
    throw unavailable('given_up', 'It is no longer wanted, and was not loaded.');
  }

  /** Resolves when nothing is left of what nobody waits for. */
  async #leave(key: string, entry: Entry): Promise<void> {
    if (--entry.users > 0) return;
    this.#forget(key, entry);
    entry.nobody.abort();
    await entry.loading.then(
      ({ loaded }) => loaded.close(),
      () => {},
    );
  }
}
