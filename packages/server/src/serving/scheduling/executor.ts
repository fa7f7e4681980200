import type { LoadedModel } from '../model-runtime.port.ts';

/**
 * A model in memory with its places for runs, shared by all the queues in front of it: an endpoint (or batch job) has a queue of its own, so
 * that its limits and priorities are its own, and none takes more than its turn of the places.
 */
export class Executor {
  readonly model: LoadedModel;
  #busy = 0;
  /** Queues that found no free place, in the order in which they asked. */
  readonly #waiting = new Set<() => void>();

  constructor(model: LoadedModel) {
    this.model = model;
  }

  get busy(): number {
    return this.#busy;
  }

  get free(): number {
    return this.model.slots - this.#busy;
  }

  take(): void {
    this.#busy++;
  }

  /** The queue that waits longest is told; what it leaves, the next gets. */
  give(): void {
    this.#busy--;
    while (this.free > 0) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#waiting.delete(next);
      next();
    }
  }

  /** `flush` is called once, when a place is free. */
  whenFree(flush: () => void): void {
    this.#waiting.add(flush);
  }
}
