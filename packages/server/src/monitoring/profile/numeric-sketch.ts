import type { ByteReader, ByteWriter } from './bytes.ts';
import { hash32 } from './hash.ts';
import { Moments } from './moments.ts';
import { type ColumnValue, type ColumnValues, toNumber } from './values.ts';

/**
 * Bins for one numeric feature. Edges e0 < e1 < … < en: bin 0 is below e0, bin i is [e(i-1), e(i)), bin n+1 is from en up.
 * `origin` (the baseline's mean) is what per-bin sums are kept against, so that large offsets lose no digits.
 */
export interface NumericLayout {
  readonly id: number;
  readonly edges: Float64Array;
  readonly origin: number;
}

export function numericLayout(edges: ArrayLike<number>, origin: number): NumericLayout {
  const own = Float64Array.from(edges);
  return { id: hash32(`${own.join(' ')} ${origin}`), edges: own, origin };
}

/** A larger mean would read back as infinite. */
const MAX_FLOAT32 = 3.4028234663852886e38;

/** The bin of a value: how many edges are at or below it. NaN has none; the caller looks first. */
export function binOf(edges: Float64Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is known of a numeric feature in a bucket of time, on bins that its baseline has fixed. Merges by addition. */
export class NumericSketch {
  readonly kind = 'numeric';
  readonly layoutId: number;
  moments = new Moments();
  /** Null or absent. */
  missing = 0;
  nan = 0;
  /** Either infinity; also counted in the outermost bins. */
  infinite = 0;
  counts: Float64Array;
  /** Per bin, the sum of (value − origin) over finite values. */
  sums: Float64Array;

  constructor(layoutId: number, bins: number) {
    this.layoutId = layoutId;
    this.counts = new Float64Array(bins);
    this.sums = new Float64Array(bins);
  }

  static over(layout: NumericLayout): NumericSketch {
    return new NumericSketch(layout.id, layout.edges.length + 1);
  }

  get rows(): number {
    return this.moments.count + this.infinite + this.nan + this.missing;
  }

  add(value: ColumnValue, layout: NumericLayout): void {
    if (value === null || value === undefined) {
      this.missing++;
      return;
    }
    const x = typeof value === 'number' ? value : toNumber(value);
    if (x !== x) {
      this.nan++;
      return;
    }
    const bin = binOf(layout.edges, x);
    (this.counts[bin] as number)++;
    if (x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY) {
      this.infinite++;
      return;
    }
    this.sums[bin] = (this.sums[bin] as number) + (x - layout.origin);
    this.moments.add(x);
  }

  addColumn(values: ColumnValues, from: number, to: number, layout: NumericLayout): void {
    for (let i = from; i < to; i++) this.add(values[i], layout);
  }

  /** Both must be of one layout. */
  merge(other: NumericSketch): void {
    this.moments.merge(other.moments);
    this.missing += other.missing;
    this.nan += other.nan;
    this.infinite += other.infinite;
    for (let i = 0; i < this.counts.length; i++) {
      this.counts[i] = (this.counts[i] as number) + (other.counts[i] ?? 0);
      this.sums[i] = (this.sums[i] as number) + (other.sums[i] ?? 0);
    }
  }

  /** Only filled bins are written; a bin's mean as float32 against the origin (seven digits of the spread, not of the offset). */
  encode(out: ByteWriter): void {
    this.moments.encode(out);
    for (const count of [this.missing, this.nan, this.infinite, this.counts.length]) out.varint(count);
    const filled = this.counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    out.varint(filled);
    let previous = -1;
    this.counts.forEach((count, bin) => {
      if (count === 0) return;
      out.varint(bin - previous);
      out.varint(count);
      out.float32(Math.max(-MAX_FLOAT32, Math.min(MAX_FLOAT32, (this.sums[bin] ?? 0) / count)));
      previous = bin;
    });
  }

  static decode(input: ByteReader, layoutId: number): NumericSketch {
    const moments = Moments.decode(input);
    const [missing, nan, infinite, bins] = [input.varint(), input.varint(), input.varint(), input.varint()];
    const sketch = new NumericSketch(layoutId, bins);
    Object.assign(sketch, { moments, missing, nan, infinite });
    let bin = -1;
    for (let left = input.varint(); left > 0; left--) {
      bin += input.varint();
      const count = input.varint();
      sketch.counts[bin] = count;
      sketch.sums[bin] = input.float32() * count;
    }
    return sketch;
  }
}
