import type { EndpointConfig } from '@binnacle/contract';
import { BinnacleError, unavailable } from '../../kernel/index.ts';
import type { RunCall } from '../model-runtime.port.ts';
import type { Tensor } from '../tensor.ts';
import { type Kept, keep, sizeOf, unpack } from './kept-tensors.ts';
import { systemTicker, type Ticker } from './ticker.ts';

interface Entry {
  readonly key: string;
  readonly model: number;
  readonly outputs: Kept;
  readonly bytes: number;
  /** Milliseconds by the ticker. */
  readonly until: number;
  /** Its neighbours by the time of the last use. */
  older: Entry | undefined;
  newer: Entry | undefined;
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
  readonly #running = new Map<string, Promise<Tensor[]>>();
  readonly #ticker: Ticker;
  /** The ends of the list by last use: a Map that loses its first entry again and again is slow at finding the next. */
  #oldest: Entry | undefined;
  #newest: Entry | undefined;
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
      const outputs = unpack(found.outputs);
      this.#tell(call, 'hit', started);
      return Promise.resolve(outputs);
    }
    const running = this.#running.get(key);
    return running === undefined ? this.#lead(model, key, call, run, started) : this.#follow(running, model, key, call, run, started);
  }

  #find(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.until <= now) {
      this.#remove(entry);
      return undefined;
    }
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#append(entry);
    }
    return entry;
  }

  #append(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: Entry): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#unlink(entry);
    this.bytes -= entry.bytes;
  }

  #lead(model: number, key: string, call: RunCall | undefined, run: () => Promise<Tensor[]>, started: number): Promise<Tensor[]> {
    const lookup = this.#ticker.now() - started;
    const running = run().then(
      (outputs) => {
        const ran = this.#ticker.now();
        this.#running.delete(key);
        this.#store(model, key, keep(outputs, this.#newest?.outputs), ran);
        this.#tell(call, 'miss', ran - lookup);
        return outputs;
      },
      (error: unknown) => {
        this.#running.delete(key);
        throw error;
      },
    );
    this.#running.set(key, running);
    return running;
  }

  async #follow(
    running: Promise<unknown>,
    model: number,
    key: string,
    call: RunCall | undefined,
    run: () => Promise<Tensor[]>,
    started: number,
  ): Promise<Tensor[]> {
    try {
      await orGone(running, call?.signal);
    } catch (error) {
      // The first one gave up, which is no reason for this one to: it goes through again, as the first or behind another.
      const gaveUp = error instanceof BinnacleError && (error.code === 'cancelled' || error.code === 'queue_timeout');
      if (!gaveUp || call?.signal?.aborted === true) throw error;
      return this.through(model, key, call, run);
    }
    const found = this.#find(key, this.#ticker.now());
    // Too large to be kept: the first one's own copy is not ours to take.
    if (found === undefined) return run();
    const outputs = unpack(found.outputs);
    this.#tell(call, 'hit', started);
    return outputs;
  }

  #store(model: number, key: string, outputs: Kept, now: number): void {
    const bytes = ENTRY_BYTES + key.length + sizeOf(outputs);
    if (bytes > this.#maxBytes) return;
    const before = this.#entries.get(key);
    if (before !== undefined) this.#remove(before);
    const entry: Entry = { key, model, outputs, bytes, until: now + this.#ttlMs, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
    this.bytes += bytes;
    this.#trim();
  }

  #trim(): void {
    while (this.bytes > this.#maxBytes && this.#oldest !== undefined) this.#remove(this.#oldest);
  }

  /** Forgets the answers of models that serve no more. */
  keepOnly(models: ReadonlySet<number>): void {
    for (const entry of this.#entries.values()) if (!models.has(entry.model)) this.#remove(entry);
  }

  #tell(call: RunCall | undefined, cache: 'hit' | 'miss', started: number): void {
    const timing = call?.timing;
    if (timing === undefined) return;
    timing.cache = cache;
    timing.cacheMicros = (this.#ticker.now() - started) * 1000;
    if (cache === 'hit') timing.executions = 0;
  }
}

function orGone<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(unavailable('cancelled', 'The request was cancelled.'));
    if (signal.aborted) return gone();
    signal.addEventListener('abort', gone, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
  });
}
