export interface BackoffOptions {
  firstMs: number;
  longestMs: number;
  /** Failures in a row after which it is called a crash loop. */
  loopAfter: number;
}

const RESTARTS: BackoffOptions = { firstMs: 1000, longestMs: 5 * 60_000, loopAfter: 5 };

/** Waits between restarts: doubled with each failure in a row, and spread so that services that fell together do not rise together. */
export class Backoff {
  failures = 0;
  readonly #options: BackoffOptions;
  readonly #random: () => number;

  /** `random`: uniform in [0,1). */
  constructor(options: BackoffOptions = RESTARTS, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
  }

  get looping(): boolean {
    return this.failures >= this.#options.loopAfter;
  }

  /** Milliseconds until the next try: between a half and the whole of the doubled wait. */
  next(): number {
    const whole = Math.min(this.#options.longestMs, this.#options.firstMs * 2 ** this.failures);
    this.failures++;
    return Math.round(whole * (0.5 + this.#random() / 2));
  }

  reset(): void {
    this.failures = 0;
  }
}
