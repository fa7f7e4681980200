import type { Column } from '../../tables/index.ts';
import type { Drift } from './judge.ts';

/** Values that are kept of each output, the newest; and outputs that are looked at. */
const KEPT = 4000;
const MAX_OUTPUTS = 16;
/** Values of a batch that are taken, spread over it. */
const PER_REQUEST = 8;
/** As many different values or fewer are categories. */
const MAX_CATEGORIES = 20;
const BINS = 10;
/** Fewer say nothing. */
const MIN_VALUES = 50;

interface Kept {
  at: Float64Array;
  values: (number | string)[];
  next: number;
}

/** The newest values of each output of a version: what a canary's predictions are compared by. */
export class RecentOutputs {
  readonly #outputs = new Map<string, Kept>();

  add(at: number, columns: readonly Column[]): void {
    for (const { name, values } of columns) {
      let kept = this.#outputs.get(name);
      if (kept === undefined) {
        if (this.#outputs.size >= MAX_OUTPUTS) continue;
        kept = { at: new Float64Array(KEPT), values: [], next: 0 };
        this.#outputs.set(name, kept);
      }
      const step = Math.max(1, Math.floor(values.length / PER_REQUEST));
      for (let i = 0; i < values.length; i += step) {
        const value = values[i];
        if (value === null || value === undefined) continue;
        kept.at[kept.next] = at;
        kept.values[kept.next] = typeof value === 'string' ? value : Number(value);
        kept.next = (kept.next + 1) % KEPT;
      }
    }
  }

  names(): string[] {
    return [...this.#outputs.keys()];
  }

  /** Values since a time, milliseconds since the epoch. */
  since(name: string, from: number): (number | string)[] {
    const kept = this.#outputs.get(name);
    return kept === undefined ? [] : kept.values.filter((_, i) => (kept.at[i] ?? 0) >= from);
  }
}

/** The output in which two versions differ most, measured by how far the distance is above its noise; undefined when there is too little of both. */
export function farthest(canary: RecentOutputs, champion: RecentOutputs, from: number): Drift | undefined {
  let found: Drift | undefined;
  for (const output of canary.names()) {
    const [mine, theirs] = [canary.since(output, from), champion.since(output, from)];
    if (mine.length < MIN_VALUES || theirs.length < MIN_VALUES) continue;
    const drift = { output, ...distanceOf(theirs, mine) };
    if (found === undefined || drift.distance - drift.noise > found.distance - found.noise) found = drift;
  }
  return found;
}

/** Jensen-Shannon distance, base 2, over categories or ten bins of equal mass, and the 99 % point that two samples of one distribution have. */
export function distanceOf(reference: readonly (number | string)[], current: readonly (number | string)[]): { distance: number; noise: number } {
  const binOf = binning([...reference, ...current]);
  const counts = new Map<number | string, [number, number]>();
  for (const [side, values] of [reference, current].entries())
    for (const value of values) {
      const bin = binOf(value);
      const pair = counts.get(bin) ?? [0, 0];
      pair[side as 0 | 1]++;
      counts.set(bin, pair);
    }
  const [m, n] = [reference.length, current.length];
  let divergence = 0;
  for (const [a, b] of counts.values()) {
    const [p, q] = [a / m, b / n];
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p * Math.log2(p / middle)) / 2;
    if (q > 0) divergence += (q * Math.log2(q / middle)) / 2;
  }
  // divergence · 8 ln 2 / (1/m + 1/n) follows χ² with one degree of freedom less than bins.
  const noise = Math.sqrt((chiSquare99(counts.size - 1) * (1 / m + 1 / n)) / (8 * Math.LN2));
  return { distance: Math.sqrt(Math.max(0, divergence)), noise };
}

function binning(values: readonly (number | string)[]): (value: number | string) => number | string {
  const different = new Set(values);
  if (different.size <= MAX_CATEGORIES || values.some((value) => typeof value === 'string')) {
    const frequent = new Map<number | string, number>();
    for (const value of values) frequent.set(value, (frequent.get(value) ?? 0) + 1);
    const named = new Set(
      [...frequent]
        .sort(([, a], [, b]) => b - a)
        .slice(0, MAX_CATEGORIES)
        .map(([value]) => value),
    );
    return (value) => (named.has(value) ? value : '\0other');
  }
  const sorted = Float64Array.from(values as number[]).sort();
  const edges = Array.from({ length: BINS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / BINS)] ?? Number.NaN);
  return (value) => (Number.isNaN(value) ? -1 : edges.filter((edge) => (value as number) >= edge).length);
}

/** Wilson and Hilferty's approximation of the 99 % point. */
function chiSquare99(freedom: number): number {
  if (freedom <= 0) return 0;
  const part = 2 / (9 * freedom);
  return freedom * (1 - part + 2.326 * Math.sqrt(part)) ** 3;
}
