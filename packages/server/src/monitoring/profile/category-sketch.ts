import type { ByteReader, ByteWriter } from './bytes.ts';
import { HyperLogLog } from './hyperloglog.ts';
import { type ColumnValue, type ColumnValues, categoryKey, isMissing } from './values.ts';

/** Categories counted by name beyond those that the baseline knows; the rest is "other", and how many there are is estimated. */
export const MAX_CATEGORIES = 1000;
const NONE: ReadonlySet<string> = new Set();

/**
 * A categorical feature in a bucket of time. Categories of the baseline always keep their own count, so the shares that drift is made of
 * are exact however many strangers come. Merges by addition.
 */
export class CategorySketch {
  readonly kind = 'categorical';
  readonly layoutId = 0;
  missing = 0;
  /** Rows of categories beyond the cap. */
  other = 0;
  readonly counts = new Map<string, number>();
  /** The keys of `counts` that the baseline knows: they are outside the cap, here and in every merge. */
  readonly #pinned = new Set<string>();
  /** Made when the cap is passed, from all the names seen until then. */
  distinctSketch: HyperLogLog | undefined;
  #total = 0;

  get rows(): number {
    return this.#total + this.other + this.missing;
  }

  /** How many different categories there were: exact up to the cap, within about 2 % above. */
  get distinct(): number {
    return this.distinctSketch === undefined ? this.counts.size : Math.max(this.counts.size, this.distinctSketch.estimate());
  }

  add(value: ColumnValue, known: ReadonlySet<string> = NONE): void {
    if (isMissing(value)) this.missing++;
    else this.addKey(typeof value === 'string' && value.length <= 100 ? value : categoryKey(value), 1, known);
  }

  addColumn(values: ColumnValues, from: number, to: number, known: ReadonlySet<string> = NONE): void {
    for (let i = from; i < to; i++) this.add(values[i], known);
  }

  addKey(key: string, count: number, known: ReadonlySet<string> = NONE): void {
    const before = this.counts.get(key);
    if (before === undefined) {
      if (known.has(key)) this.#pinned.add(key);
      else if (this.counts.size - this.#pinned.size >= MAX_CATEGORIES) {
        this.#overflow().add(key);
        this.other += count;
        return;
      }
    }
    this.counts.set(key, (before ?? 0) + count);
    this.#total += count;
    if (before === undefined) this.distinctSketch?.add(key);
  }

  #overflow(): HyperLogLog {
    if (this.distinctSketch === undefined) {
      this.distinctSketch = new HyperLogLog();
      for (const key of this.counts.keys()) this.distinctSketch.add(key);
    }
    return this.distinctSketch;
  }

  merge(other: CategorySketch): void {
    this.missing += other.missing;
    this.other += other.other;
    if (other.distinctSketch !== undefined) this.#overflow().merge(other.distinctSketch);
    for (const [key, count] of other.counts) this.addKey(key, count, other.#pinned);
  }

  encode(out: ByteWriter): void {
    for (const count of [this.missing, this.other, this.counts.size]) out.varint(count);
    for (const [key, count] of this.counts) {
      out.string(key);
      out.varint(count * 2 + (this.#pinned.has(key) ? 1 : 0));
    }
    out.byte(this.distinctSketch === undefined ? 0 : 1);
    this.distinctSketch?.encode(out);
  }

  static decode(input: ByteReader): CategorySketch {
    const sketch = new CategorySketch();
    sketch.missing = input.varint();
    sketch.other = input.varint();
    for (let left = input.varint(); left > 0; left--) {
      const key = input.string();
      const packed = input.varint();
      const count = Math.floor(packed / 2);
      if (packed % 2 === 1) sketch.#pinned.add(key);
      sketch.counts.set(key, count);
      sketch.#total += count;
    }
    if (input.byte() === 1) sketch.distinctSketch = HyperLogLog.decode(input);
    return sketch;
  }
}
