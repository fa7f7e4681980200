import type { ByteReader, ByteWriter } from './bytes.ts';

/** Count, mean and sum of squared deviations by Welford's update, merged by Chan's formula; minimum and maximum. Of finite values only. */
export class Moments {
  count = 0;
  mean = 0;
  m2 = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  add(value: number): void {
    const delta = value - this.mean;
    this.mean += delta / ++this.count;
    this.m2 += delta * (value - this.mean);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  merge(other: Moments): void {
    if (other.count === 0) return;
    const count = this.count + other.count;
    const delta = other.mean - this.mean;
    this.m2 += other.m2 + (delta * delta * this.count * other.count) / count;
    this.mean += (delta * other.count) / count;
    this.count = count;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  /** Population standard deviation; 0 for fewer than two values, the largest number where the squares overflow. */
  get std(): number {
    return this.count < 2 ? 0 : Math.min(Number.MAX_VALUE, Math.sqrt(Math.max(0, this.m2) / this.count));
  }

  encode(out: ByteWriter): void {
    out.varint(this.count);
    if (this.count > 0) for (const value of [this.mean, this.m2, this.min, this.max]) out.float64(value);
  }

  static decode(input: ByteReader): Moments {
    const moments = new Moments();
    moments.count = input.varint();
    if (moments.count > 0) {
      moments.mean = input.float64();
      moments.m2 = input.float64();
      moments.min = input.float64();
      moments.max = input.float64();
    }
    return moments;
  }
}
