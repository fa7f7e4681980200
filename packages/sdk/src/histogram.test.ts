import { expect, test } from 'vitest';
import { histogram } from './histogram.ts';

test('bins equal widths as numpy.histogram does, the last edge included', () => {
  // numpy.histogram([1, 2, 1, 4, 0.5], bins=4)
  expect(histogram([1, 2, 1, 4, 0.5], { bins: 4 })).toEqual({ edges: [0.5, 1.375, 2.25, 3.125, 4], counts: [3, 1, 0, 1] });
  expect(histogram([0, 1, 2, 3, 4], { bins: 2, range: [1, 3] })).toEqual({ edges: [1, 2, 3], counts: [1, 2] });
});

test('a value on an edge is in the bin above it, however the division rounds', () => {
  const edges = Array.from({ length: 11 }, (_, i) => i / 10);
  const { counts, edges: made } = histogram(edges, { bins: 10, range: [0, 1] });
  for (const [i, edge] of made.slice(0, -1).entries()) expect(edge, `edge ${i}`).toBeLessThan(made[i + 1] as number);
  const expected = Array.from({ length: 10 }, () => 0);
  for (const value of edges) {
    const bin = made.findLastIndex((edge) => edge <= value);
    expected[Math.min(9, bin)] = (expected[Math.min(9, bin)] as number) + 1;
  }
  expect(counts).toEqual(expected);
});

test('one value alone, none, and values that are no numbers', () => {
  expect(histogram([7, 7, 7], { bins: 2 })).toEqual({ edges: [6.5, 7, 7.5], counts: [0, 3] });
  expect(histogram([1e20], { bins: 1 }).counts).toEqual([1]);
  expect(histogram([], { bins: 2 })).toEqual({ edges: [0, 0.5, 1], counts: [0, 0] });
  expect(histogram([Number.NaN, 1, Number.POSITIVE_INFINITY, 3], { bins: 2 })).toEqual({ edges: [1, 2, 3], counts: [1, 1] });
});

test('takes typed arrays of many values', () => {
  const values = Float32Array.from({ length: 200_000 }, (_, i) => i % 100);
  const { counts } = histogram(values);
  expect(counts).toHaveLength(64);
  expect(counts.reduce((a, b) => a + b)).toBe(200_000);
});
