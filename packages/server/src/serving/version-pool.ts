import type { ModelPackage } from '../registry/index.ts';
import type { LoadOptions } from './model-runtime.port.ts';
import { LoadedVersion, loadVersion, type Runtimes } from './version.ts';

interface Entry {
  loading: Promise<LoadedVersion>;
  users: number;
}

/** A loaded version, shared; released when the user has sent its last request. */
export interface VersionLease {
  readonly version: LoadedVersion;
  /** Resolves once the memory is free, when this was the last user. Calling it twice does nothing. */
  release(): Promise<void>;
}

/** Versions in memory, one copy each however many endpoints serve it. */
export class VersionPool {
  readonly #runtimes: Runtimes;
  readonly #entries = new Map<string, Entry>();

  constructor(runtimes: Runtimes) {
    this.#runtimes = runtimes;
  }

  /** Endpoints that run a version in different ways have a copy each. */
  async acquire(pkg: ModelPackage, options: LoadOptions = {}): Promise<VersionLease> {
    // The folder is part of the key: a deleted version's number may come back with another model.
    const key = `${pkg.model}\n${pkg.version}\n${pkg.onnxFile ?? JSON.stringify(pkg.runtime)}\n${JSON.stringify(options)}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { loading: loadVersion(pkg, this.#runtimes, options), users: 0 };
      this.#entries.set(key, entry);
      const made = entry;
      entry.loading.catch(() => {
        if (this.#entries.get(key) === made) this.#entries.delete(key);
      });
    }
    const held = entry;
    held.users++;
    const version = await held.loading;
    let released = false;
    return {
      version,
      release: async () => {
        if (released) return;
        released = true;
        held.users--;
        if (held.users > 0) return;
        if (this.#entries.get(key) === held) this.#entries.delete(key);
        await version.close();
      },
    };
  }
}
