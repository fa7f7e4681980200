import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SessionSettings } from './session-settings.ts';

/** As many digests as are kept. */
const MAX_KNOWN = 10_000;
/** What passed with one version of the runtime may fail with another. */
const RUNTIME = `onnxruntime-node 1.30.0 ${process.platform} ${process.arch}`;

/** Files that a process of their own has loaded and run, by what is in them; kept in a file, so that a start of the server need not try them all again. */
export class KnownModels {
  readonly #file: string | undefined;
  #entries: Promise<Map<string, number>> | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** Without a file they are known while the process lives. */
  constructor(file?: string) {
    this.#file = file;
  }

  /** Bytes that the model took when it was tried; undefined when it never was. */
  async memoryOf(digest: string, settings: SessionSettings): Promise<number | undefined> {
    return (await this.#load()).get(keyOf(digest, settings));
  }

  async add(digest: string, settings: SessionSettings, memoryBytes: number): Promise<void> {
    const entries = await this.#load();
    const key = keyOf(digest, settings);
    entries.delete(key);
    entries.set(key, memoryBytes);
    for (const oldest of entries.keys()) {
      if (entries.size <= MAX_KNOWN) break;
      entries.delete(oldest);
    }
    this.#writing = this.#writing.then(() => this.#save(entries));
    await this.#writing;
  }

  #load(): Promise<Map<string, number>> {
    this.#entries ??= this.#read();
    return this.#entries;
  }

  async #read(): Promise<Map<string, number>> {
    if (this.#file === undefined) return new Map();
    try {
      const { runtime, models } = JSON.parse(await readFile(this.#file, 'utf8')) as { runtime: string; models: Record<string, number> };
      if (runtime === RUNTIME) return new Map(Object.entries(models).filter(([, bytes]) => typeof bytes === 'number'));
    } catch {
      // None yet, or not readable: everything is tried once more.
    }
    return new Map();
  }

  async #save(entries: ReadonlyMap<string, number>): Promise<void> {
    if (this.#file === undefined) return;
    try {
      await mkdir(dirname(this.#file), { recursive: true });
      await writeFile(`${this.#file}.new`, JSON.stringify({ runtime: RUNTIME, models: Object.fromEntries(entries) }), { mode: 0o600 });
      await rename(`${this.#file}.new`, this.#file);
    } catch {
      // A full disk must not keep a model from serving.
    }
  }
}

/** A model that is harmless on a CPU may not be so elsewhere. */
const keyOf = (digest: string, { providers = [] }: SessionSettings): string =>
  createHash('sha256')
    .update(`${digest}\n${JSON.stringify(providers)}`)
    .digest('base64url');
