/** Who waits for the end of something that has an id. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Asks `look` at once and after each `wake`, until it answers. Leaves nothing behind, whatever happens. */
  async until<T>(id: string, look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<void>();
      // Before the look: what ends during it must not be missed.
      const waiting = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiting.add(resolve));
      try {
        const found = await look();
        if (found !== undefined) return found;
        await promise;
      } finally {
        waiting.delete(resolve);
        if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id);
      }
    }
  }

  wake(id: string): void {
    for (const resolve of this.#waiting.get(id) ?? []) resolve();
  }
}
