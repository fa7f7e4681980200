import { ByteReader, ByteWriter } from './bytes.ts';

/** Buckets grow by 5 % from a microsecond to about five minutes: a percentile is within 2.5 %. */
const GROWTH = Math.log(1.05);
const BUCKETS = 400;
const FLOOR_MS = 0.001;

/** Durations in log buckets; merges by addition, so percentiles of any span and of several replicas come from the sum. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  count = 0;

  add(ms: number, times = 1): void {
    const bucket = ms > FLOOR_MS ? Math.min(BUCKETS - 1, Math.floor(Math.log(ms / FLOOR_MS) / GROWTH) + 1) : 0;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times;
    this.count += times;
  }

  merge(other: LatencyHistogram): void {
    for (let i = 0; i < BUCKETS; i++) this.#counts[i] = (this.#counts[i] ?? 0) + (other.#counts[i] ?? 0);
    this.count += other.count;
  }

  /** The q-quantile in milliseconds (geometric middle of its bucket); null when empty. */
  quantile(q: number): number | null {
    if (this.count === 0) return null;
    const rank = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#counts[i] ?? 0;
      if (seen >= rank) return FLOOR_MS * Math.exp(GROWTH * (i - 0.5));
    }
    return null;
  }

  encode(): Uint8Array {
    const out = new ByteWriter();
    let previous = -1;
    this.#counts.forEach((count, bucket) => {
      if (count === 0) return;
      out.varint(bucket - previous);
      out.varint(count);
      previous = bucket;
    });
    return out.finish();
  }

  static decode(bytes: Uint8Array): LatencyHistogram {
    const histogram = new LatencyHistogram();
    const input = new ByteReader(bytes);
    let bucket = -1;
    while (!input.done) {
      bucket += input.varint();
      const count = input.varint();
      histogram.#counts[bucket] = count;
      histogram.count += count;
    }
    return histogram;
  }
}

export function mergeEncodedLatency(a: Uint8Array | null, b: Uint8Array | null): Uint8Array | null {
  if (a === null || b === null) return a ?? b;
  const histogram = LatencyHistogram.decode(a);
  histogram.merge(LatencyHistogram.decode(b));
  return histogram.encode();
}
