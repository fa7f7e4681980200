import { unavailable } from './errors.ts';

interface UnderWay<T> {
  result: Promise<T>;
  waiting: number;
  nobody: AbortController;
}

/** Work that is done once a key for all who ask for it meanwhile, and ended when the last of them has gone. */
export class SharedWork<T> {
  readonly #byKey = new Map<string, UnderWay<T>>();
  /** What was given up may still be putting away what it made. */
  readonly #all = new Set<UnderWay<T>>();
  #closed = false;

  /** `make` ends when its signal is aborted. Rejects with `unavailable` (given_up) as soon as `signal` is, whoever else still waits. */
  run(key: string, make: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted === true || this.#closed) return Promise.reject(givenUp());
    const work = this.#byKey.get(key) ?? this.#begin(key, make);
    work.waiting++;
    if (signal === undefined) return work.result;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        if (--work.waiting === 0) this.#giveUp(key, work);
        reject(givenUp());
      };
      signal.addEventListener('abort', leave, { once: true });
      work.result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }

  #begin(key: string, make: (signal: AbortSignal) => Promise<T>): UnderWay<T> {
    const nobody = new AbortController();
    const work: UnderWay<T> = { result: make(nobody.signal), waiting: 0, nobody };
    this.#byKey.set(key, work);
    this.#all.add(work);
    const over = (): void => {
      this.#all.delete(work);
      if (this.#byKey.get(key) === work) this.#byKey.delete(key);
    };
    work.result.then(over, over);
    return work;
  }

  /** Whoever comes now begins anew. */
  #giveUp(key: string, work: UnderWay<T>): void {
    if (this.#byKey.get(key) === work) this.#byKey.delete(key);
    work.nobody.abort();
  }

  /** Ends all of it, and takes no more; resolves when all has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { nobody } of this.#all) nobody.abort();
    await Promise.allSettled([...this.#all].map(({ result }) => result));
  }
}

const givenUp = () => unavailable('given_up', 'It was given up: nobody waits for it any more.');
