import { describe, expect, it } from 'vitest';
import {
  CategorySketch,
  LatencyHistogram,
  LogSketch,
  MAX_CATEGORIES,
  mergeEncodedLatency,
  mergeEncodedProfiles,
  Moments,
  NumericSketch,
  numericLayout,
  ProfileSet,
  type Sketch,
} from './index.ts';

/** Seeded, so that a failure can be repeated. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}
const layout = numericLayout([-2, -1, 0, 0.5, 1, 3], 0.25);
const strange = [null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1e30, -1e-300, true, 12n, '3.5', 'no number'];

function randomSet(random: () => number, rows: number): ProfileSet {
  const set = new ProfileSet();
  const numeric = NumericSketch.over(layout);
  const log = new LogSketch(2001);
  const category = new CategorySketch();
  const known = new Set(['k0', 'k1', 'k2']);
  for (let i = 0; i < rows; i++) {
    const odd = random() < 0.1;
    const value = odd ? (strange[Math.floor(random() * strange.length)] as number) : (random() - 0.5) * 8;
    numeric.add(value, layout);
    log.add(odd ? value : 2001 + Math.round(random() * 5));
    category.add(odd ? null : `${random() < 0.3 ? 'k' : 'ü'}${Math.floor(random() ** 3 * 30)}`, known);
  }
  set.put('feature', 'x', numeric);
  set.put('feature', 'jahr', log);
  set.put('output', 'x', category);
  return set;
}

/** What must be equal however a sum was formed; sums of floats to twelve digits. */
const view = (set: ProfileSet) =>
  [...set.entries]
    .map(({ role, name, sketch }) => ({ role, name, kind: sketch.kind, rows: sketch.rows, missing: sketch.missing, ...details(sketch) }))
    .sort((a, b) => (a.name + a.role < b.name + b.role ? -1 : 1));
const digits = (value: number) => Number(value.toPrecision(5));
function details(sketch: Sketch): object {
  if (sketch.kind === 'categorical') return { counts: Object.fromEntries([...sketch.counts].sort()), other: sketch.other, distinct: sketch.distinct };
  const { count, mean, std, min, max } = sketch.moments;
  const moments = { count, mean: digits(mean), std: digits(std), min, max, nan: sketch.nan, infinite: sketch.infinite };
  return sketch.kind === 'log'
    ? { ...moments, bins: [...sketch.bins].sort(([a], [b]) => a - b) }
    : { ...moments, counts: [...sketch.counts], sums: [...sketch.sums].map(digits) };
}
const copy = (set: ProfileSet): ProfileSet => ProfileSet.decode(set.encode());
const sum = (...sets: ProfileSet[]): ProfileSet => {
  const total = new ProfileSet();
  for (const set of sets) total.merge(copy(set));
  return total;
};

describe('profiles', () => {
  it('merging is associative and commutative, and bytes keep everything', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = randomSource(seed);
      const [a, b, c] = Array.from({ length: 3 }, () => randomSet(random, Math.floor(random() * 400))) as [ProfileSet, ProfileSet, ProfileSet];
      expect(view(sum(sum(a, b), c))).toEqual(view(sum(a, sum(b, c))));
      expect(view(sum(a, b))).toEqual(view(sum(b, a)));
      expect(view(copy(a))).toEqual(view(a));
      expect(view(ProfileSet.decode(mergeEncodedProfiles(a.encode(), b.encode()) as Uint8Array))).toEqual(view(sum(a, b)));
    }
  });

  it('three replicas add up to what one process would have counted', () => {
    const replicas = [NumericSketch.over(layout), NumericSketch.over(layout), NumericSketch.over(layout)];
    const one = NumericSketch.over(layout);
    const random = randomSource(9);
    for (let i = 0; i < 3000; i++) {
      const value = (random() - 0.3) * 5;
      one.add(value, layout);
      replicas[i % 3]?.add(value, layout);
    }
    const total = NumericSketch.over(layout);
    for (const replica of replicas) total.merge(replica);
    expect([...total.counts]).toEqual([...one.counts]);
    expect(total.moments.mean).toBeCloseTo(one.moments.mean, 12);
    expect(total.moments.std).toBeCloseTo(one.moments.std, 12);
  });

  it('a feature and five minutes take about 400 bytes at most, and few when few rows came', () => {
    const edges = numericLayout(
      Array.from({ length: 65 }, (_, i) => i),
      30,
    );
    const full = NumericSketch.over(edges);
    for (let i = 0; i < 100_000; i++) full.add(i % 66, edges);
    const few = NumericSketch.over(edges);
    few.add(3, edges);
    const size = (sketch: Sketch) => {
      const set = new ProfileSet();
      set.put('feature', 'distance', sketch);
      return set.encode().length;
    };
    expect(size(full)).toBeLessThan(600);
    expect(size(few)).toBeLessThan(80);
  });

  it('categories of the baseline keep their count however many strangers come, in any order of merging', () => {
    const known = new Set(['home', 'late']);
    const first = new CategorySketch();
    const second = new CategorySketch();
    for (let i = 0; i < 3000; i++) first.add(`stranger ${i}`, known);
    for (let i = 0; i < 50; i++) first.add('home', known);
    for (let i = 1000; i < 5000; i++) second.add(`stranger ${i}`, known);
    for (let i = 0; i < 70; i++) second.add(i % 2 === 0 ? 'home' : 'late', known);
    for (const [a, b] of [
      [first, second],
      [second, first],
    ] as const) {
      const total = new CategorySketch();
      for (const sketch of [a, b]) {
        const set = new ProfileSet();
        set.put('feature', 'f', sketch);
        total.merge(copy(set).of('feature', 'f')[0] as CategorySketch);
      }
      expect([total.counts.get('home'), total.counts.get('late'), total.rows]).toEqual([85, 35, 7120]);
      expect(total.counts.size).toBe(MAX_CATEGORIES + 2);
      expect(Math.abs(total.distinct / 5002 - 1)).toBeLessThan(0.06);
    }
  });

  it('one value has one category name: booleans, whole numbers, float32 fractions; long text is cut', () => {
    const sketch = new CategorySketch();
    for (const value of [true, 1, 1n, '1', Math.fround(0.1), 0.1, -0, 0, false, 'x'.repeat(5000), 'x'.repeat(6000)]) sketch.add(value);
    expect(Object.fromEntries([...sketch.counts].map(([key, count]) => [key.slice(0, 3), count]))).toEqual({ '1': 4, '0.1': 2, '0': 3, xxx: 2 });
  });

  it('a year is told apart from the next by the log histogram, and odd values go where they belong', () => {
    const sketch = new LogSketch(2001);
    for (const value of [2001, 2001, 2002, 1999, null, Number.NaN, Number.POSITIVE_INFINITY]) sketch.add(value);
    expect(sketch.bins.size).toBe(3);
    expect([sketch.missing, sketch.nan, sketch.infinite, sketch.rows, sketch.moments.count]).toEqual([1, 1, 1, 7, 4]);
    const later = numericLayout([1999, 2000, 2001, 2002, 2002.5], 2001);
    const counts = [0, 10, 0, 10, 10, 0];
    const converted = sketch.toNumeric(later, { counts, means: [null, 1999, null, 2001, 2002, null] });
    expect([...converted.counts]).toEqual([0, 1, 0, 2, 1, 0]);
  });

  it('moments of one value, of none and of a constant have no NaN', () => {
    const moments = new Moments();
    expect(moments.std).toBe(0);
    moments.merge(new Moments());
    moments.add(5);
    moments.add(5);
    expect([moments.mean, moments.std, moments.min, moments.max]).toEqual([5, 0, 5, 5]);
  });

  it('numbers at the end of the range stay finite', () => {
    const sketch = NumericSketch.over(layout);
    for (const value of [1e300, 1e300, -1e308]) sketch.add(value, layout);
    const set = new ProfileSet();
    set.put('feature', 'x', sketch);
    const read = copy(set).of('feature', 'x')[0] as NumericSketch;
    expect([...read.sums, read.moments.std, read.moments.mean].every(Number.isFinite)).toBe(true);
  });

  it('bytes that are none are refused, not read as something', () => {
    expect(() => ProfileSet.decode(new Uint8Array([9, 1, 2]))).toThrow(RangeError);
    expect(() => ProfileSet.decode(randomSet(randomSource(3), 50).encode().slice(0, 40))).toThrow(RangeError);
  });
});

describe('latency', () => {
  it('percentiles are within 2.5 % and survive merging and bytes', () => {
    const [a, b] = [new LatencyHistogram(), new LatencyHistogram()];
    for (let i = 1; i <= 10_000; i++) (i % 2 === 0 ? a : b).add(i / 100);
    const merged = LatencyHistogram.decode(mergeEncodedLatency(a.encode(), b.encode()) as Uint8Array);
    for (const [q, exact] of [
      [0.5, 50],
      [0.95, 95],
      [0.99, 99],
    ] as const) {
      expect(Math.abs((merged.quantile(q) as number) / exact - 1)).toBeLessThan(0.026);
    }
    expect(merged.count).toBe(10_000);
  });

  it('nothing, zero, and hours are no special cases', () => {
    const histogram = new LatencyHistogram();
    expect(histogram.quantile(0.5)).toBeNull();
    for (const ms of [0, -1, 1e9]) histogram.add(ms);
    expect(histogram.quantile(0.01)).toBeLessThan(0.01);
    expect(histogram.quantile(1)).toBeGreaterThan(100_000);
  });
});
