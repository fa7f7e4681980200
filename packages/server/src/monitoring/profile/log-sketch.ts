import type { ByteReader, ByteWriter } from './bytes.ts';
import { hash32 } from './hash.ts';
import { Moments } from './moments.ts';
import { binOf, type NumericLayout, NumericSketch } from './numeric-sketch.ts';
import { type ColumnValue, type ColumnValues, toNumber } from './values.ts';

/** Bins grow by 2 %, so that a value is known within 1 % of its distance from the centre. */
const GAMMA = 1.02;
const LOG_GAMMA = Math.log(GAMMA);
/** Exponents reach ±36,000 for a double; keys are 0 for the centre itself, and ±(exponent + OFFSET) beside it. */
const OFFSET = 40_000;

/**
 * A numeric feature without a baseline: a log histogram around a centre (the first value seen), because a feature such as a year
 * has all its spread far from zero. Merges by addition with sketches of the same centre.
 */
export class LogSketch {
  readonly kind = 'log';
  readonly layoutId: number;
  readonly centre: number;
  moments = new Moments();
  missing = 0;
  nan = 0;
  infinite = 0;
  readonly bins = new Map<number, number>();

  constructor(centre: number) {
    this.centre = centre;
    this.layoutId = hash32(`log ${centre}`);
  }

  get rows(): number {
    return this.moments.count + this.infinite + this.nan + this.missing;
  }

  add(value: ColumnValue): void {
    if (value === null || value === undefined) {
      this.missing++;
      return;
    }
    const x = toNumber(value);
    if (Number.isNaN(x)) {
      this.nan++;
      return;
    }
    if (!Number.isFinite(x)) {
      this.infinite++;
      return;
    }
    this.moments.add(x);
    const key = this.#key(x);
    this.bins.set(key, (this.bins.get(key) ?? 0) + 1);
  }

  addColumn(values: ColumnValues, from: number, to: number): void {
    for (let i = from; i < to; i++) this.add(values[i]);
  }

  #key(x: number): number {
    const d = x - this.centre;
    if (d === 0) return 0;
    const exponent = Math.floor(Math.log(Math.abs(d)) / LOG_GAMMA) + OFFSET;
    return d > 0 ? exponent : -exponent;
  }

  merge(other: LogSketch): void {
    this.moments.merge(other.moments);
    this.missing += other.missing;
    this.nan += other.nan;
    this.infinite += other.infinite;
    for (const [key, count] of other.bins) this.bins.set(key, (this.bins.get(key) ?? 0) + count);
  }

  /**
   * The same counts on a layout that came later, whose bins may be finer than these. Within a log bin the rows are taken to lie as the
   * baseline's do, so that without drift the shares agree; what differs, differs by more than a log bin.
   */
  toNumeric(layout: NumericLayout, baseline: { counts: ArrayLike<number>; means: ArrayLike<number | null> }): NumericSketch {
    const sketch = NumericSketch.over(layout);
    Object.assign(sketch, { moments: this.moments, missing: this.missing, nan: this.nan, infinite: this.infinite });
    for (const [key, count] of this.bins) {
      const [low, high] = this.#range(key);
      const value = Math.min(this.moments.max, Math.max(this.moments.min, (low + high) / 2));
      const parts = overlaps(layout.edges, baseline, low, high);
      const all = parts.reduce((sum, part) => sum + part.weight, 0);
      if (all === 0) parts.splice(0, parts.length, { bin: binOf(layout.edges, value), weight: 1 });
      for (const { bin, weight } of parts) {
        const rows = (count * weight) / (all || 1);
        sketch.counts[bin] = (sketch.counts[bin] ?? 0) + rows;
        const inBin = Math.min(layout.edges[bin] ?? Number.POSITIVE_INFINITY, Math.max(layout.edges[bin - 1] ?? Number.NEGATIVE_INFINITY, value));
        sketch.sums[bin] = (sketch.sums[bin] ?? 0) + (inBin - layout.origin) * rows;
      }
    }
    return sketch;
  }

  #range(key: number): [number, number] {
    if (key === 0) return [this.centre, this.centre];
    const near = GAMMA ** (Math.abs(key) - OFFSET);
    return key > 0 ? [this.centre + near, this.centre + near * GAMMA] : [this.centre - near * GAMMA, this.centre - near];
  }

  encode(out: ByteWriter): void {
    out.float64(this.centre);
    this.moments.encode(out);
    for (const count of [this.missing, this.nan, this.infinite, this.bins.size]) out.varint(count);
    for (const [key, count] of [...this.bins].sort(([a], [b]) => a - b)) {
      out.signed(key);
      out.varint(count);
    }
  }

  static decode(input: ByteReader): LogSketch {
    const sketch = new LogSketch(input.float64());
    const moments = Moments.decode(input);
    Object.assign(sketch, { moments, missing: input.varint(), nan: input.varint(), infinite: input.varint() });
    for (let left = input.varint(); left > 0; left--) {
      const key = input.signed();
      sketch.bins.set(key, input.varint());
    }
    return sketch;
  }
}

/** How many of the baseline's rows lie in [low, high), by its bins. A bin whose mean is at its lower edge holds one repeated value; others are even. */
function overlaps(
  edges: Float64Array,
  baseline: { counts: ArrayLike<number>; means: ArrayLike<number | null> },
  low: number,
  high: number,
): { bin: number; weight: number }[] {
  const parts: { bin: number; weight: number }[] = [];
  for (let bin = Math.max(1, binOf(edges, low)); bin < edges.length && (edges[bin - 1] as number) <= high; bin++) {
    const [from, to] = [edges[bin - 1] as number, edges[bin] as number];
    const mean = baseline.means[bin] ?? (from + to) / 2;
    const atom = mean - from < (to - from) * 0.02;
    const share = atom
      ? mean >= low && (mean < high || low === high)
        ? 1
        : 0
      : low === high
        ? 1
        : Math.max(0, Math.min(high, to) - Math.max(low, from)) / (to - from);
    const weight = (baseline.counts[bin] ?? 0) * share;
    if (weight > 0) parts.push({ bin, weight });
  }
  return parts;
}
