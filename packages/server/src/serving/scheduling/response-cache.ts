import type { EndpointConfig } from '@binnacle/contract';
import { BinnacleError, unavailable } from '../../kernel/index.ts';
import type { RunCall } from '../model-runtime.port.ts';
import type { Tensor } from '../tensor.ts';
import { systemTicker, type Ticker } from './ticker.ts';

interface Entry {
  model: number;
  outputs: readonly Tensor[];
  bytes: number;
  /** Milliseconds by the ticker. */
  until: number;
}

/** What an entry takes beside its key and tensors, about. */
const ENTRY_BYTES = 300;

export type CacheOptions = NonNullable<EndpointConfig['cache']>;

/**
 * Answers to requests seen before, the least recently used forgotten first. Equal requests that come while the first one runs wait for its
 * answer instead of running too. What goes in and out is copied: nobody's use of an answer changes another's.
 */
export class ResponseCache {
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Map<string, Promise<readonly Tensor[]>>();
  readonly #ticker: Ticker;
  #maxBytes = 0;
  #ttlMs = Number.POSITIVE_INFINITY;
  bytes = 0;

  constructor(options: CacheOptions, ticker: Ticker = systemTicker) {
    this.#ticker = ticker;
    this.configure(options);
  }

  get entries(): number {
    return this.#entries.size;
  }

  /** What is kept stays, as far as there is room. */
  configure({ maxMiB, ttlSeconds }: CacheOptions): void {
    this.#maxBytes = maxMiB * 2 ** 20;
    this.#ttlMs = (ttlSeconds ?? Number.POSITIVE_INFINITY) * 1000;
    this.#trim();
  }

  /** The answer from memory, else by `run`. */
  through(model: number, key: string, call: RunCall | undefined, run: () => Promise<Tensor[]>): Promise<Tensor[]> {
    const started = this.#ticker.now();
    const found = this.#find(key, started);
    if (found !== undefined) {
      const outputs = copy(found.outputs);
      this.#tell(call, 'hit', started);
      return Promise.resolve(outputs);
    }
    const running = this.#running.get(key);
    return running === undefined ? this.#lead(model, key, call, run, started) : this.#follow(running, model, key, call, run, started);
  }

  #find(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.until <= now) {
      this.bytes -= entry.bytes;
      return undefined;
    }
    // Last in the map is the most recently used.
    this.#entries.set(key, entry);
    return entry;
  }

  #lead(model: number, key: string, call: RunCall | undefined, run: () => Promise<Tensor[]>, started: number): Promise<Tensor[]> {
    const lookup = this.#ticker.now() - started;
    const shared = Promise.withResolvers<readonly Tensor[]>();
    shared.promise.catch(() => {});
    this.#running.set(key, shared.promise);
    return run().then(
      (outputs) => {
        const ran = this.#ticker.now();
        const kept = copy(outputs);
        this.#running.delete(key);
        this.#store(model, key, kept, ran);
        shared.resolve(kept);
        this.#tell(call, 'miss', ran - lookup);
        return outputs;
      },
      (error: unknown) => {
        this.#running.delete(key);
        shared.reject(error);
        throw error;
      },
    );
  }

  async #follow(running: Promise<readonly Tensor[]>, model: number, key: string, call: RunCall | undefined, run: () => Promise<Tensor[]>, started: number) {
    let outputs: readonly Tensor[];
    try {
      outputs = await orGone(running, call?.signal);
    } catch (error) {
      // The first one gave up, which is no reason for this one to: it goes through again, as the first or behind another.
      const gaveUp = error instanceof BinnacleError && (error.code === 'cancelled' || error.code === 'queue_timeout');
      if (!gaveUp || call?.signal?.aborted === true) throw error;
      return this.through(model, key, call, run);
    }
    const own = copy(outputs);
    this.#tell(call, 'hit', started);
    return own;
  }

  #store(model: number, key: string, outputs: readonly Tensor[], now: number): void {
    let bytes = ENTRY_BYTES + key.length;
    for (const { data } of outputs) {
      if (Array.isArray(data)) for (const value of data) bytes += 32 + 2 * value.length;
      else bytes += data.byteLength;
    }
    if (bytes > this.#maxBytes) return;
    const before = this.#entries.get(key);
    if (before !== undefined) this.bytes -= before.bytes;
    this.#entries.delete(key);
    this.#entries.set(key, { model, outputs, bytes, until: now + this.#ttlMs });
    this.bytes += bytes;
    this.#trim();
  }

  #trim(): void {
    if (this.bytes <= this.#maxBytes) return;
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key);
      this.bytes -= entry.bytes;
      if (this.bytes <= this.#maxBytes) return;
    }
  }

  /** Forgets the answers of models that serve no more. */
  keepOnly(models: ReadonlySet<number>): void {
    for (const [key, entry] of this.#entries) {
      if (models.has(entry.model)) continue;
      this.#entries.delete(key);
      this.bytes -= entry.bytes;
    }
  }

  #tell(call: RunCall | undefined, cache: 'hit' | 'miss', started: number): void {
    const timing = call?.timing;
    if (timing === undefined) return;
    timing.cache = cache;
    timing.cacheMicros = (this.#ticker.now() - started) * 1000;
    if (cache === 'hit') timing.executions = 0;
  }
}

const copy = (tensors: readonly Tensor[]): Tensor[] =>
  tensors.map(({ name, datatype, shape, data }) => ({ name, datatype, shape: [...shape], data: data.slice() as Tensor['data'] }));

function orGone<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(unavailable('cancelled', 'The request was cancelled.'));
    if (signal.aborted) return gone();
    signal.addEventListener('abort', gone, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
  });
}
