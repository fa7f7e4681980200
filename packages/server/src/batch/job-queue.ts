/** Hands queued jobs to workers. The embedded one is a list in this process; the ids outlive it in the store. */
export interface JobQueue {
  push(id: string): void;
  /** Takes no more jobs; resolves when those under way have ended. */
  close(): Promise<void>;
}

/** Runs at most `width` jobs at a time, in order. `work` never throws. */
export function createLocalQueue(width: number, work: (id: string) => Promise<void>): JobQueue {
  const waiting: string[] = [];
  const running = new Set<Promise<void>>();
  const state = { closed: false };
  const next = (): void => {
    while (!state.closed && running.size < width && waiting.length > 0) {
      const job = work(waiting.shift() as string).finally(() => {
        running.delete(job);
        next();
      });
      running.add(job);
    }
  };
  return {
    push(id) {
      waiting.push(id);
      next();
    },
    async close() {
      state.closed = true;
      await Promise.all(running);
    },
  };
}
