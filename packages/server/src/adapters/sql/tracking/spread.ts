import type { Spread } from '../../../tracking/index.ts';

/**
 * Spread of values as they come (B. P. Welford, 1962), good where a sum of squares would cancel, and their mean from a compensated sum
 * (A. Neumaier, 1974), which does not drift when they come sorted.
 */
export class SpreadOf {
  count = 0;
  #mean = 0;
  #sum = 0;
  #lost = 0;
  #squares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** @param value Finite. */
  add(value: number): void {
    this.count++;
    const off = value - this.#mean;
    this.#mean += off / this.count;
    this.#squares += off * (value - this.#mean);
    const sum = this.#sum + value;
    this.#lost += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  get mean(): number {
    const sum = this.#sum + this.#lost;
    // Of the largest doubles the sum overflows where the mean does not.
    return Number.isFinite(sum) ? sum / this.count : this.#mean;
  }

  result(): Spread {
    const { count, mean } = this;
    return { count, mean, deviation: count === 1 ? null : Math.sqrt(this.#squares / (count - 1)), min: this.#min, max: this.#max };
  }
}
