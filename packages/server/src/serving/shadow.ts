const MAX_WAITING = 256;
const MAX_RUNNING = 4;
/** Bytes of inputs that copies hold, waiting or running: requests may be large, and the memory of their bodies stays taken. */
export const MAX_SHADOW_BYTES = 128 * 2 ** 20;

/** Copies of answered requests for shadow targets: bounded, behind everything else, dropped rather than queued without end. */
export class ShadowQueue {
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;
  #bytes = 0;
  dropped = 0;

  /** Resolves when the task, which holds so many bytes, has run or was dropped. `task` must not throw. */
  push(task: () => Promise<void>, bytes: number): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING || this.#bytes + bytes > MAX_SHADOW_BYTES) {
      this.dropped++;
      return Promise.resolve();
    }
    this.#bytes += bytes;
    return new Promise((resolve) => {
      this.#waiting.push(() =>
        task().finally(() => {
          this.#bytes -= bytes;
          resolve();
        }),
      );
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
