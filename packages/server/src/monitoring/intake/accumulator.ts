import { LatencyHistogram, ProfileSet, type Sketch } from '../profile/index.ts';
import { LEVELS, type Level } from '../drift/windows.ts';
import type { BucketDelta } from '../monitoring-store.port.ts';
import type { IntakeContext } from './intake-context.ts';

type Key = Pick<BucketDelta, 'endpoint' | 'model' | 'version' | 'source'>;

/** What came in one five-minute bucket since the last flush. */
export class Accumulator {
  readonly key: Key;
  readonly start: number;
  requests = 0;
  predictions = 0;
  rows = 0;
  errors = 0;
  scoreSum = 0;
  scoreCount = 0;
  predictionSum = 0;
  predictionCount = 0;
  latency: LatencyHistogram | undefined;
  /** By slot of the context. */
  readonly sketches: (Sketch | undefined)[] = [];
  readonly context: IntakeContext | undefined;

  constructor(key: Key, start: number, context: IntakeContext | undefined) {
    this.key = { endpoint: key.endpoint, model: key.model, version: key.version, source: key.source };
    this.start = start;
    this.context = context;
  }

  addLatency(ms: number): void {
    this.latency ??= new LatencyHistogram();
    this.latency.add(ms);
  }
}

/** The buckets of one flush. */
export class Accumulators {
  readonly #buckets = new Map<string, Accumulator>();
  #last: Accumulator | undefined;

  get size(): number {
    return this.#buckets.size;
  }

  get(key: Key, start: number, context: IntakeContext | undefined): Accumulator {
    const last = this.#last;
    if (
      last !== undefined &&
      last.start === start &&
      last.context === context &&
      last.key.version === key.version &&
      last.key.endpoint === key.endpoint &&
      last.key.model === key.model &&
      last.key.source === key.source
    )
      return last;
    const id = `${start} ${key.version} ${key.source} ${key.endpoint} ${key.model}\0${context === undefined ? 0 : identity(context)}`;
    let bucket = this.#buckets.get(id);
    if (bucket === undefined) {
      bucket = new Accumulator(key, start, context);
      this.#buckets.set(id, bucket);
    }
    this.#last = bucket;
    return bucket;
  }

  /** As deltas for every level: five minutes, hours and days. Gives way to the event loop now and then; uses the sketches up. */
  async deltas(): Promise<BucketDelta[]> {
    const found: BucketDelta[] = [];
    let parts: Part[] = [];
    for (const bucket of this.#buckets.values()) parts.push(partOf(bucket));
    for (const level of LEVELS) {
      parts = await merged(parts, level);
      let since = 0;
      for (const part of parts) {
        found.push(deltaOf(part, level));
        if (++since % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return found;
  }
}

let counter = 0;
const identities = new WeakMap<IntakeContext, number>();
function identity(context: IntakeContext): number {
  const known = identities.get(context) ?? ++counter;
  identities.set(context, known);
  return known;
}

type Counts = Omit<BucketDelta, 'latency' | 'profile' | 'level'>;
interface Part {
  counts: Counts;
  latency: LatencyHistogram | undefined;
  profile: ProfileSet;
}

function partOf(bucket: Accumulator): Part {
  const { key, start, requests, predictions, rows, errors, scoreSum, scoreCount, predictionSum, predictionCount, latency } = bucket;
  const profile = new ProfileSet();
  bucket.sketches.forEach((sketch, i) => {
    const slot = bucket.context?.slots[i];
    if (sketch !== undefined && slot !== undefined) profile.put(slot.role, slot.name, sketch);
  });
  return { counts: { ...key, start, requests, predictions, rows, errors, scoreSum, scoreCount, predictionSum, predictionCount }, latency, profile };
}

async function merged(parts: Part[], level: Level): Promise<Part[]> {
  const byStart = new Map<string, Part>();
  for (const [i, part] of parts.entries()) {
    if (i % 200 === 199) await new Promise((resolve) => setImmediate(resolve));
    const start = Math.floor(part.counts.start / level) * level;
    const id = `${start} ${part.counts.version} ${part.counts.source} ${part.counts.endpoint} ${part.counts.model}`;
    const into = byStart.get(id);
    if (into === undefined) {
      byStart.set(id, { ...part, counts: { ...part.counts, start } });
      continue;
    }
    for (const name of ['requests', 'predictions', 'rows', 'errors', 'scoreSum', 'scoreCount', 'predictionSum', 'predictionCount'] as const)
      into.counts[name] += part.counts[name];
    into.profile.merge(part.profile);
    if (into.latency !== undefined && part.latency !== undefined) into.latency.merge(part.latency);
    else into.latency ??= part.latency;
  }
  return [...byStart.values()];
}

const deltaOf = ({ counts, latency, profile }: Part, level: Level): BucketDelta => ({
  ...counts,
  level,
  latency: latency?.encode() ?? null,
  profile: profile.size === 0 ? null : profile.encode(),
});
