/** Places for things that run at the same time, shared by several queues: none takes more than its turn of what becomes free. */
export class Places {
  #size: number;
  #busy = 0;
  /** Queues that found no free place, in the order in which they asked. */
  readonly #waiting = new Set<() => void>();

  constructor(size = Number.POSITIVE_INFINITY) {
    this.#size = size;
  }

  get busy(): number {
    return this.#busy;
  }
  get free(): number {
    return this.#size - this.#busy;
  }
  get size(): number {
    return this.#size;
  }

  resize(size: number): void {
    this.#size = size;
    this.#wake();
  }

  take(count = 1): void {
    this.#busy += count;
  }

  give(count = 1): void {
    this.#busy -= count;
    this.#wake();
  }

  /** `callback` is called once, when a place is free and those who asked before have been told. */
  whenFree(callback: () => void): void {
    this.#waiting.add(callback);
  }

  #wake(): void {
    while (this.free > 0) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#waiting.delete(next);
      next();
    }
  }
}
