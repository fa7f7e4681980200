import { expect, test } from 'vitest';
import { rebin } from './rebin.ts';

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

test('the mass stays the same', () => {
  const shares = [0.05, 0.3, 0.1, 0.25, 0.2, 0.1];
  const out = rebin([0, 1, 5, 6, 10], shares, 7);
  expect(sum(out.inner) + out.under + out.over).toBeCloseTo(1);
  expect([out.under, out.over]).toEqual([0.05, 0.1]);
  expect(out.edges).toHaveLength(8);
});
test('a wide bin is spread evenly', () => {
  expect(rebin([0, 4], [0, 1, 0], 4).inner).toEqual([0.25, 0.25, 0.25, 0.25]);
});
test('a bin of no width keeps its share in one place', () => {
  const out = rebin([0, 2, 2, 4], [0, 0.25, 0.5, 0.25, 0], 4);
  expect(sum(out.inner)).toBeCloseTo(1);
  expect(out.inner[2]).toBeGreaterThanOrEqual(0.5);
});
test('a constant feature does not divide by zero', () => {
  expect(sum(rebin([3, 3], [0, 1, 0], 5).inner)).toBe(1);
});
