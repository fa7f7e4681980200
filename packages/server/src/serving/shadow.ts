const MAX_WAITING = 256;
const MAX_RUNNING = 4;

/** Copies of answered requests for shadow targets: bounded, behind everything else, dropped rather than queued without end. */
export class ShadowQueue {
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;
  dropped = 0;

  /** Resolves when the task has run or was dropped. `task` must not throw. */
  push(task: () => Promise<void>): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING) {
      this.dropped++;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#waiting.push(() => task().finally(resolve));
      // Not in this turn: replies that wait go first.
      setImmediate(() => this.#next());
    });
  }

  #next(): void {
    while (this.#running < MAX_RUNNING) {
      const task = this.#waiting.shift();
      if (task === undefined) return;
      this.#running++;
      void task().finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }
}
