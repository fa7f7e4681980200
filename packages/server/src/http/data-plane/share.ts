import { type BinnacleError, exhausted } from '../../kernel/index.ts';

/** Bytes that all bodies may have in memory together. */
export const MAX_IN_FLIGHT = 2 ** 30;

/** Bytes of all bodies that are on their way or in use. */
let inFlight = 0;

/** A body's share of the memory for all. The first is let in whatever its size: its own limit holds for it. */
export class Share {
  #bytes = 0;
  readonly #max: number;
  constructor(max: number = MAX_IN_FLIGHT) {
    this.#max = max;
  }

  /** The error when there is no room: memory must not grow with the number of clients. */
  take(bytes: number): BinnacleError | undefined {
    if (inFlight + bytes > this.#max && inFlight > this.#bytes)
      return exhausted('bodies_full', `Too many large requests at once: their bodies would need more than ${this.#max} bytes of memory. Try again.`, {
        retryAfterSeconds: 1,
        details: { maxInFlight: this.#max },
      });
    inFlight += bytes;
    this.#bytes += bytes;
    return undefined;
  }

  give(): void {
    inFlight -= this.#bytes;
    this.#bytes = 0;
  }
}
