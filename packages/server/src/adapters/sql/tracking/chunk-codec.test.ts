import { expect, it } from 'vitest';
import type { Points } from '../../../tracking/index.ts';
import { bytesToDouble, decodeSegments, doubleBytes, encodeSegment } from './chunk-codec.ts';
import { concat, sortUnique, summarize, without } from './points.ts';

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const ODD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, Number.MIN_VALUE, Number.MAX_VALUE, 5e-324];
const LIMITS = [0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 32 + 1, 2 ** 50, 2 ** 50 + 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];

function points(count: number, next: () => number, integer: () => number): Points {
  return {
    steps: Float64Array.from({ length: count }, integer),
    timestamps: Float64Array.from({ length: count }, integer),
    values: Float64Array.from({ length: count }, () =>
      next() < 0.1 ? (ODD[Math.floor(next() * ODD.length)] as number) : (next() - 0.5) * 10 ** Math.floor(next() * 40 - 20),
    ),
  };
}
const same = (a: Float64Array, b: Float64Array) => a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

it('whatever is encoded is decoded to the bit', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const next = random(seed);
    const kinds = [
      () => Math.floor(next() * 100),
      () => Math.floor((next() - 0.5) * 2 ** 53),
      () => LIMITS[Math.floor(next() * LIMITS.length)] as number,
      () => 1_700_000_000_000 + Math.floor(next() * 1e6),
      // Fractions: of few digits, of many, and among numbers that are too large for deltas.
      () => Math.floor(next() * 1e5) / 1000,
      () => (next() - 0.5) * 10 ** Math.floor(next() * 20 - 10),
      () => (next() < 0.5 ? 0.000_001 : 1) * Math.floor(next() * 2 ** 40),
    ];
    const given = points(Math.floor(next() * 300), next, kinds[seed % kinds.length] as () => number);
    const decoded = decodeSegments(encodeSegment(given), given.steps.length);
    expect(same(decoded.steps, given.steps), `steps of seed ${seed}`).toBe(true);
    expect(same(decoded.timestamps, given.timestamps), `timestamps of seed ${seed}`).toBe(true);
    expect(same(decoded.values, given.values), `values of seed ${seed}`).toBe(true);
  }
});

it('appended segments decode as one list', () => {
  const next = random(7);
  const parts = Array.from({ length: 20 }, (_, i) => points(i, next, () => Math.floor(next() * 1000)));
  const blob = Buffer.concat(parts.map((part) => encodeSegment(part)));
  const whole = concat(parts);
  const decoded = decodeSegments(blob, whole.steps.length);
  expect(same(decoded.steps, whole.steps) && same(decoded.values, whole.values)).toBe(true);
});

it('steps of few digits cost what whole ones do', () => {
  const count = 1000;
  const size = (scale: number) =>
    encodeSegment({
      steps: Float64Array.from({ length: count }, (_, i) => i / scale),
      timestamps: Float64Array.from({ length: count }, (_, i) => 1.7e12 + i * 250),
      values: new Float64Array(count),
    }).length;
  for (const scale of [2, 4, 10, 1000, 1_000_000]) expect(size(scale)).toBeLessThan(size(1) * 1.1);
  expect(size(3)).toBeLessThan(size(1) + 8 * count);
});

it('a way of writing that is not known is told, not guessed at', () => {
  const segment = encodeSegment({ steps: Float64Array.of(1), timestamps: Float64Array.of(1), values: Float64Array.of(1) });
  segment[1] = 9;
  expect(() => decodeSegments(segment, 1)).toThrow('not known here');
});

it('a steady series costs about ten bytes a point', () => {
  const count = 1000;
  const steady: Points = {
    steps: Float64Array.from({ length: count }, (_, i) => i),
    timestamps: Float64Array.from({ length: count }, (_, i) => 1.7e12 + i * 250),
    values: Float64Array.from({ length: count }, (_, i) => Math.sin(i)),
  };
  expect(encodeSegment(steady).length).toBeLessThan(10.1 * count);
});

it('a damaged chunk is an error, not wrong points', () => {
  const blob = encodeSegment(points(50, random(3), () => 5));
  expect(() => decodeSegments(blob, 49)).toThrow('damaged');
  expect(() => decodeSegments(blob, 51)).toThrow('damaged');
});

it('sorting drops exact duplicates only, and what is known is taken away', () => {
  const given: Points = {
    steps: Float64Array.of(2, 1, 1, 1, 1, 1),
    timestamps: Float64Array.of(5, 5, 5, 4, 5, 5),
    values: Float64Array.of(1, Number.NaN, 0, 9, Number.NaN, 0),
  };
  const sorted = sortUnique(given);
  expect([...sorted.steps]).toEqual([1, 1, 1, 2]);
  expect([...sorted.values]).toEqual([9, 0, Number.NaN, 1]);
  expect([...without(sorted, sortUnique({ steps: Float64Array.of(1), timestamps: Float64Array.of(5), values: Float64Array.of(Number.NaN) })).values]).toEqual([
    9, 0, 1,
  ]);
});

it('a summary ignores NaN, and has no extremes when there is nothing else', () => {
  const of = (...values: number[]): Points => ({
    steps: Float64Array.from(values, (_, i) => i),
    timestamps: new Float64Array(values.length),
    values: Float64Array.from(values),
  });
  expect(summarize(of(Number.NaN, 3, -2))).toMatchObject({ points: 3, minValue: -2, maxValue: 3, minStep: 0, maxStep: 2 });
  expect(summarize(of(Number.NaN))).toMatchObject({ minValue: null, maxValue: null });
  expect(summarize(of(Number.POSITIVE_INFINITY, 0)).maxValue).toBe(Number.MAX_VALUE);
});

it('a double survives as bytes', () => {
  for (const value of [...ODD, 0.1, -1e300]) expect(Object.is(bytesToDouble(doubleBytes(value)), value)).toBe(true);
});
