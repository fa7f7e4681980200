/** Time as the queue sees it, replaced in tests. */
export interface Ticker {
  /** Milliseconds, monotonic, with fractions. */
  now(): number;
  /** Calls back once the requests that came in this turn of the event loop have been read. */
  soon(callback: () => void): void;
  /** Calls back after about `ms`; returns what cancels it. Never keeps the process alive. */
  later(callback: () => void, ms: number): () => void;
}

export const systemTicker: Ticker = {
  now: () => performance.now(),
  soon: (callback) => void setImmediate(callback),
  later(callback, ms) {
    // A timer is a millisecond at best: a shorter wait looks again every turn instead, for as long as it lasts.
    if (ms < 1) {
      const handle = setImmediate(callback);
      return () => clearImmediate(handle);
    }
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
};
