import type { LatencyStats } from '@binnacle/contract';

const BUCKET_MS = 10_000;
const BUCKETS = 180;
/** Log histogram: five bins a doubling from 10 µs to about 200 s, so a percentile is off by at most 7 %. */
const BINS = 121;
const FIRST_MS = 0.01;
const PER_OCTAVE = 5;

const binOf = (ms: number): number => (ms <= FIRST_MS ? 0 : Math.min(BINS - 1, 1 + Math.floor(Math.log2(ms / FIRST_MS) * PER_OCTAVE)));
/** The geometric middle of a bin. */
const valueOf = (bin: number): number => (bin === 0 ? FIRST_MS : FIRST_MS * 2 ** ((bin - 0.5) / PER_OCTAVE));

class Tally {
  requests = 0;
  instances = 0;
  errors = 0;
  sumMs = 0;
  /** Start of the interval, milliseconds since the epoch, a multiple of BUCKET_MS. */
  start = 0;
  readonly bins = new Uint32Array(BINS);

  clear(start: number): void {
    this.requests = 0;
    this.instances = 0;
    this.errors = 0;
    this.sumMs = 0;
    this.start = start;
    this.bins.fill(0);
  }

  merge(other: Tally): void {
    this.requests += other.requests;
    this.instances += other.instances;
    this.errors += other.errors;
    this.sumMs += other.sumMs;
    for (let i = 0; i < BINS; i++) this.bins[i] = (this.bins[i] ?? 0) + (other.bins[i] ?? 0);
  }

  /** Milliseconds below which a share of the answered requests stayed; null without any. */
  percentile(share: number): number | null {
    const answered = this.requests - this.errors;
    if (answered <= 0) return null;
    let left = Math.ceil(answered * share);
    for (let bin = 0; bin < BINS; bin++) {
      left -= this.bins[bin] ?? 0;
      if (left <= 0) return round(valueOf(bin));
    }
    return round(valueOf(BINS - 1));
  }

  summary(windowSeconds: number): LatencyStats {
    const answered = this.requests - this.errors;
    return {
      windowSeconds,
      requests: this.requests,
      instances: this.instances,
      errors: this.errors,
      requestsPerSecond: windowSeconds <= 0 ? 0 : round(this.requests / windowSeconds),
      meanMs: answered <= 0 ? null : round(this.sumMs / answered),
      p50Ms: this.percentile(0.5),
      p95Ms: this.percentile(0.95),
      p99Ms: this.percentile(0.99),
    };
  }
}

const round = (value: number): number => Number(value.toPrecision(4));

export interface StatsBucket {
  start: number;
  requests: number;
  instances: number;
  errors: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

/** Live counts and latencies: in total, and in 10-second buckets for the last half hour. Recording costs a fraction of a microsecond. */
export class LiveStats {
  readonly #started: number;
  readonly #total = new Tally();
  /** A slot is made when it is first needed, so that an idle endpoint costs nothing. */
  readonly #ring: (Tally | undefined)[] = Array.from({ length: BUCKETS });

  constructor(now: number) {
    this.#started = now;
  }

  record(now: number, latencyMs: number, instances: number): void {
    const bin = binOf(latencyMs);
    for (const tally of [this.#total, this.#slot(now)]) {
      tally.requests++;
      tally.instances += instances;
      tally.sumMs += latencyMs;
      tally.bins[bin] = (tally.bins[bin] ?? 0) + 1;
    }
  }

  recordError(now: number): void {
    for (const tally of [this.#total, this.#slot(now)]) {
      tally.requests++;
      tally.errors++;
    }
  }

  #slot(now: number): Tally {
    const start = now - (now % BUCKET_MS);
    const index = (start / BUCKET_MS) % BUCKETS;
    let tally = this.#ring[index];
    if (tally === undefined) {
      tally = new Tally();
      tally.start = start;
      this.#ring[index] = tally;
    } else if (tally.start !== start) tally.clear(start);
    return tally;
  }

  /** Since the start. */
  total(now: number): LatencyStats {
    return this.#total.summary(Math.max(1, Math.round((now - this.#started) / 1000)));
  }

  /** The last `seconds` (rounded up to buckets). */
  recent(now: number, seconds: number): LatencyStats {
    const merged = new Tally();
    const current = now - (now % BUCKET_MS);
    const from = current - Math.ceil(seconds / 10 - 1) * BUCKET_MS;
    for (const tally of this.#ring) if (tally !== undefined && tally.start >= from && tally.start <= current) merged.merge(tally);
    return merged.summary(Math.max(1, Math.min(seconds, Math.round((now - Math.max(from, this.#started)) / 1000))));
  }

  /** What began in the buckets since a time (milliseconds since the epoch): up to a bucket more than asked for, at most half an hour. */
  since(now: number, from: number): LatencyStats {
    return this.#merged(now, from).summary(Math.max(1, Math.round((now - from) / 1000)));
  }

  /** Answers since a time that took longer than `ms`, as exactly as the bins tell. */
  slowerThan(now: number, from: number, ms: number): number {
    const { bins } = this.#merged(now, from);
    let count = 0;
    for (let bin = binOf(ms) + 1; bin < BINS; bin++) count += bins[bin] ?? 0;
    return count;
  }

  #merged(now: number, from: number): Tally {
    const merged = new Tally();
    for (const tally of this.#ring) if (tally !== undefined && tally.start >= from - (from % BUCKET_MS) && tally.start <= now) merged.merge(tally);
    return merged;
  }

  /** The last half hour, oldest first; silent intervals are left out. */
  buckets(now: number): StatsBucket[] {
    const from = now - BUCKETS * BUCKET_MS;
    return this.#ring
      .filter((tally): tally is Tally => tally !== undefined && tally.start > from && tally.requests > 0)
      .sort((a, b) => a.start - b.start)
      .map((tally) => ({
        start: tally.start,
        requests: tally.requests,
        instances: tally.instances,
        errors: tally.errors,
        p50Ms: tally.percentile(0.5),
        p95Ms: tally.percentile(0.95),
        p99Ms: tally.percentile(0.99),
      }));
  }
}
