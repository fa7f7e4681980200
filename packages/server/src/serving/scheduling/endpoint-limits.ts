import type { EndpointConfig } from '@binnacle/contract';
import { type BinnacleError, exhausted } from '../../kernel/index.ts';
import { Places } from './places.ts';
import { queueFull } from './request-queue.ts';

/** What all versions of an endpoint share: how many requests may wait, run, and come. */
export class EndpointLimits {
  /** Requests under way. */
  readonly places = new Places();
  /** Requests that wait or are under way. */
  pending = 0;
  #maxPending = Number.POSITIVE_INFINITY;
  #full: BinnacleError | undefined;
  /** Tokens a millisecond; Infinity: no limit. */
  #rate = Number.POSITIVE_INFINITY;
  #burst = 1;
  #tokens = 0;
  #filled = 0;

  /** `maxQueue` is the server's, for endpoints that have none of their own. */
  configure({ maxQueue, maxConcurrency, rateLimit }: Pick<EndpointConfig, 'maxQueue' | 'maxConcurrency' | 'rateLimit'>, serverMaxQueue: number): void {
    this.#maxPending = maxQueue ?? serverMaxQueue;
    // Made once: under overload an error with a stack a request would be the dearest part of a refusal.
    this.#full = queueFull(this.#maxPending);
    this.places.resize(maxConcurrency ?? Number.POSITIVE_INFINITY);
    const rate = rateLimit === undefined ? Number.POSITIVE_INFINITY : rateLimit.requestsPerSecond / 1000;
    const burst = rateLimit === undefined ? 1 : (rateLimit.burst ?? Math.max(1, Math.ceil(rateLimit.requestsPerSecond)));
    if (rate !== this.#rate || burst !== this.#burst) this.#tokens = burst;
    this.#rate = rate;
    this.#burst = burst;
  }

  /** Why one more request cannot wait now; undefined when it can. */
  get refusal(): BinnacleError | undefined {
    return this.pending >= this.#maxPending ? this.#full : undefined;
  }

  /** Takes a token; returns the refusal when there is none. `at` in milliseconds, monotonic; now by default. */
  overRate(at?: number): BinnacleError | undefined {
    if (this.#rate === Number.POSITIVE_INFINITY) return undefined;
    const now = at ?? performance.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filled) * this.#rate);
    this.#filled = now;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return undefined;
    }
    const requestsPerSecond = this.#rate * 1000;
    return exhausted('rate_limited', `The endpoint takes ${requestsPerSecond} requests a second; send fewer, or try again later.`, {
      retryAfterSeconds: (1 - this.#tokens) / requestsPerSecond,
      details: { requestsPerSecond },
    });
  }
}
