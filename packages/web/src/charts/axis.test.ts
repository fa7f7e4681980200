import { expect, test } from 'vitest';
import { axisOf } from './axis.ts';

const axis = (values: (string | number | null)[], log = false) => axisOf('x', 'x', values, String, log);

test('params that are numbers get a numeric axis; missing values have no place', () => {
  expect(axis(['0.1', '0.3', null]).positions).toEqual([0, 1, null]);
  expect(axis(['0.1', '0.3', null]).ticks).toHaveLength(5);
});
test('ticks are round numbers within what is shown', () => {
  const labels = (...values: number[]) => axis(values).ticks.map(({ label }) => label);
  expect(labels(0, 0.9992)).toEqual(['0', '0.2', '0.4', '0.6', '0.8']);
  expect(labels(-3, 11)).toEqual(['0', '5', '10']);
  expect(labels(0.1, 0.3)).toEqual(['0.1', '0.15', '0.2', '0.25', '0.3']);
  expect(labels(123_456, 987_654)).toEqual(['200000', '400000', '600000', '800000']);
  // Doubles next to each other have no round number between them.
  expect(labels(1, 1 + Number.EPSILON).length).toBeGreaterThan(1);
});
test('words get a place each, one word the middle, NaN and infinities none', () => {
  expect(axis(['linear', 'boosted', 'linear'])).toMatchObject({ positions: [1, 0, 1], words: true });
  expect(axis(['x', 'x']).positions).toEqual([0.5, 0.5]);
  expect(axis([0.5, 'NaN', 1, 'Infinity'])).toMatchObject({ positions: [0, null, 1, null], words: false });
  expect(axis(['1', 'two']).words).toBe(true);
  expect(axis([null, null])).toMatchObject({ positions: [], ticks: [] });
});
test('a log axis goes by decades and has no place for what is not positive', () => {
  const { positions, ticks } = axis([1, 10, 1000, 0, -5], true);
  expect(positions.map((p) => p?.toFixed(4) ?? null)).toEqual(['0.0000', '0.3333', '1.0000', null, null]);
  expect(ticks.map(({ label }) => label)).toEqual(['1', '10', '100', '1000']);
  // Within a decade there is no other tick to show.
  expect(axis([2, 4], true).ticks).toHaveLength(5);
});
test('the whole range of doubles has its place', () => {
  expect(axis([-1.7e308, 0, 1.7e308]).positions).toEqual([0, 0.5, 1]);
});
test('of many words the axis names some', () => {
  const { positions, ticks } = axis(Array.from({ length: 100 }, (_, i) => `w${i}`));
  expect(ticks.length).toBeLessThanOrEqual(30);
  expect(positions[99]).toBe(1);
  expect(positions[9]).toBeLessThan(positions[10] as number);
});
