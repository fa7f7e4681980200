import type { Spread } from '../../../tracking/index.ts';

/** Mean and spread of values as they come (B. P. Welford, 1962): exact where a sum of squares would cancel. */
export class SpreadOf {
  count = 0;
  mean = 0;
  #squares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** @param value Finite. */
  add(value: number): void {
    this.count++;
    const off = value - this.mean;
    this.mean += off / this.count;
    this.#squares += off * (value - this.mean);
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  result(): Spread {
    const { count, mean } = this;
    return { count, mean, deviation: count === 1 ? null : Math.sqrt(this.#squares / (count - 1)), min: this.#min, max: this.#max };
  }
}
