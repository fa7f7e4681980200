import type { Points, SeriesBuckets } from '../../../tracking/index.ts';

type Buckets = Omit<SeriesBuckets, 'forkStep'>;

/** A stretch of points that are known by their summary alone. */
export interface Stretch {
  minValue: number | null;
  maxValue: number | null;
  points: number;
  lastStep: number;
  lastTimestamp: number;
  lastValue: number;
}

/**
 * Puts points into buckets of equal width along the steps. A stretch no wider than a bucket goes whole into the bucket of its last step, so
 * that a long series is drawn from its chunks' summaries: every point is in exactly one bucket, at most one width from where it lies.
 */
export class Bucketer {
  readonly width: number;
  readonly #low: number;
  readonly #high: number;
  readonly #buckets: number;
  readonly #steps: Float64Array;
  readonly #timestamps: Float64Array;
  readonly #values: Float64Array;
  readonly #mins: Float64Array;
  readonly #maxs: Float64Array;
  readonly #counts: Float64Array;

  constructor(low: number, high: number, buckets: number) {
    this.#low = low;
    this.#high = high;
    this.#buckets = buckets;
    this.width = (high - low) / buckets;
    this.#steps = new Float64Array(buckets).fill(Number.NEGATIVE_INFINITY);
    this.#timestamps = new Float64Array(buckets);
    this.#values = new Float64Array(buckets);
    this.#mins = new Float64Array(buckets).fill(Number.NaN);
    this.#maxs = new Float64Array(buckets).fill(Number.NaN);
    this.#counts = new Float64Array(buckets);
  }

  #bucketOf(position: number): number {
    return Math.min(this.#buckets - 1, Math.max(0, Math.floor((position - this.#low) / this.width)));
  }

  #extend(bucket: number, low: number, high: number): void {
    // Written so that a NaN start gives way to the first number.
    if (!((this.#mins[bucket] as number) <= low)) this.#mins[bucket] = low;
    if (!((this.#maxs[bucket] as number) >= high)) this.#maxs[bucket] = high;
  }

  #last(bucket: number, step: number, timestamp: number, value: number): void {
    const current = this.#steps[bucket] as number;
    if (step < current || (step === current && timestamp < (this.#timestamps[bucket] as number))) return;
    this.#steps[bucket] = step;
    this.#timestamps[bucket] = timestamp;
    this.#values[bucket] = value;
  }

  addSummary(stretch: Stretch): void {
    const bucket = this.#bucketOf(stretch.lastStep);
    if (stretch.minValue !== null && stretch.maxValue !== null) this.#extend(bucket, stretch.minValue, stretch.maxValue);
    this.#last(bucket, stretch.lastStep, stretch.lastTimestamp, stretch.lastValue);
    this.#counts[bucket] = (this.#counts[bucket] as number) + stretch.points;
  }

  /** Points outside the range are left out. `positions` are what is bucketed by; steps unless given. */
  addPoints({ steps, timestamps, values }: Points, positions: Float64Array = steps): void {
    for (let i = 0; i < steps.length; i++) {
      const position = positions[i] as number;
      if (position < this.#low || position > this.#high) continue;
      const bucket = this.#bucketOf(position);
      const value = values[i] as number;
      if (!Number.isNaN(value)) this.#extend(bucket, value, value);
      this.#last(bucket, steps[i] as number, timestamps[i] as number, value);
      this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    }
  }

  result(runId: string, key: string): Buckets {
    const filled: number[] = [];
    let total = 0;
    for (let i = 0; i < this.#buckets; i++) {
      const count = this.#counts[i] as number;
      if (count > 0) filled.push(i);
      total += count;
    }
    const take = (column: Float64Array) => Float64Array.from(filled, (i) => column[i] as number);
    return {
      runId,
      key,
      total,
      steps: take(this.#steps),
      timestamps: take(this.#timestamps),
      values: take(this.#values),
      mins: take(this.#mins),
      maxs: take(this.#maxs),
      counts: take(this.#counts),
    };
  }

  /** Buckets from the points themselves, sorted by step: one each when they are few enough; by time when they share one step. */
  static exact(runId: string, key: string, points: Points, maxPoints: number): Buckets {
    const count = points.steps.length;
    if (count <= maxPoints) {
      const { steps, timestamps, values } = points;
      return {
        runId,
        key,
        total: count,
        steps: steps.slice(),
        timestamps: timestamps.slice(),
        values: values.slice(),
        mins: values.slice(),
        maxs: values.slice(),
        counts: new Float64Array(count).fill(1),
      };
    }
    const positions = points.steps[0] === points.steps[count - 1] ? points.timestamps : points.steps;
    const bucketer = new Bucketer(positions[0] as number, positions[count - 1] as number, maxPoints);
    bucketer.addPoints(points, positions);
    return bucketer.result(runId, key);
  }
}
