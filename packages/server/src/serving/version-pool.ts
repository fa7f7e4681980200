import type { ModelPackage } from '../registry/index.ts';
import type { LoadOptions } from './model-runtime.port.ts';
import type { EndpointPolicy } from './scheduling/endpoint-policy.ts';
import { LoadedVersion, loadModel, type Runtimes, type SharedModel } from './version.ts';

interface Entry {
  loading: Promise<SharedModel>;
  users: number;
}

/** Versions in memory, one copy each however many endpoints serve it. */
export class VersionPool {
  readonly #runtimes: Runtimes;
  readonly #entries = new Map<string, Entry>();

  constructor(runtimes: Runtimes) {
    this.#runtimes = runtimes;
  }

  /** Users that run a version in different ways have a copy each. Closing what comes back lets go of it; the last user's frees the memory. */
  async acquire(pkg: ModelPackage, options: LoadOptions = {}, policy?: EndpointPolicy): Promise<LoadedVersion> {
    // A deleted version's number may come back with another model.
    const key = `${pkg.id}\n${pkg.model}\n${pkg.version}\n${pkg.onnxFile ?? JSON.stringify(pkg.runtime)}\n${JSON.stringify(options)}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { loading: loadModel(pkg, this.#runtimes, options), users: 0 };
      this.#entries.set(key, entry);
      const made = entry;
      entry.loading.catch(() => {
        if (this.#entries.get(key) === made) this.#entries.delete(key);
      });
    }
    const held = entry;
    held.users++;
    const shared = await held.loading;
    const release = async (): Promise<void> => {
      held.users--;
      if (held.users > 0) return;
      if (this.#entries.get(key) === held) this.#entries.delete(key);
      await shared.loaded.close();
    };
    return new LoadedVersion(shared, release, policy);
  }
}
