import type { Series } from '@binnacle/contract';
import { expect, test } from 'vitest';
import { alignSeries } from '../../charts/series.ts';
import { chartLines, xKindOf } from './shape.ts';

const points = (list: [step: number, timestamp: number, value: number][]) =>
  list.map(([step, timestamp, value]) => ({ step, timestamp, value, min: value, max: value, count: 1 }));
const series = (runId: string, list: [number, number, number][]): Series => ({ runId, key: 'loss', total: list.length, forkStep: null, points: points(list) });
const draw = (...list: Series[]) => chartLines(list, { smoothed: (values) => values, styleOf: (label) => ({ label }), always: false });

test('a metric that was logged without steps is drawn over its time', () => {
  const { kind, lines } = draw(
    series('a', [
      [0, 1000, 3],
      [0, 2000, 2],
      [0, 3000, 1],
    ]),
  );
  expect([kind, lines[0]?.x, lines[0]?.y]).toEqual(['time', [1000, 2000, 3000], [3, 2, 1]]);
});
test('several such runs start at the same place', () => {
  const { kind, lines } = draw(
    series('a', [
      [0, 1000, 3],
      [0, 3000, 1],
    ]),
    series('b', [
      [0, 900_000, 5],
      [0, 901_000, 4],
    ]),
  );
  expect([kind, lines[0]?.x, lines[1]?.x]).toEqual(['relative', [0, 2], [0, 1]]);
});
test('steps are the axis as soon as one run has them, and for single points', () => {
  expect(
    xKindOf([
      series('a', [
        [0, 1, 1],
        [0, 2, 1],
      ]),
      series('b', [
        [0, 1, 1],
        [1, 2, 1],
      ]),
    ]),
  ).toBe('step');
  expect(xKindOf([series('a', [[7, 1, 1]])])).toBe('step');
  expect(xKindOf([])).toBe('step');
});
test('points at one x become one, with the last value and the spread of all', () => {
  const { lines } = draw(
    series('a', [
      [1, 10, 5],
      [1, 11, 9],
      [1, 12, 7],
      [2, 13, 1],
    ]),
  );
  expect(lines[0]).toMatchObject({ x: [1, 2], y: [7, 1], low: [5, 1], high: [9, 1] });
});
test('two hundred runs of unequal length stay a chart that can be drawn', () => {
  const many = Array.from({ length: 200 }, (_, run) =>
    series(
      `r${run}`,
      Array.from({ length: 300 }, (_, i) => [i * (run + 7), i, i]),
    ),
  );
  const { lines, thinned } = draw(...many);
  const aligned = alignSeries(lines);
  expect(thinned).toBe(true);
  expect(lines).toHaveLength(200);
  expect(aligned[0].length).toBeLessThanOrEqual(602);
  expect(aligned).toHaveLength(201);
  // The last value of each run is kept.
  expect(lines.map((l) => l.y.at(-1))).toEqual(Array(200).fill(299));
});
test('what a fork has from its parent is a faint line of its own that the run goes on from, at any step', () => {
  const fork = {
    ...series('f', [
      [0, 10, 4],
      [0.25, 11, 3],
      [0.5, 12, 2],
      [0.75, 13, 1],
    ]),
    forkStep: 0.25,
  };
  const { lines, forks } = draw(
    fork,
    series('p', [
      [0, 10, 4],
      [1, 20, 0],
    ]),
  );
  expect(forks).toEqual([0.25]);
  expect(lines.map(({ key, label, x, y, faint = false, dashed = false, extendLast }) => ({ key, label, x, y, faint, dashed, extendLast }))).toEqual([
    { key: 'f:inherited', label: 'f, inherited', x: [0, 0.25, 0.5], y: [4, 3, 2], faint: true, dashed: true, extendLast: false },
    { key: 'f', label: 'f', x: [0.5, 0.75], y: [2, 1], faint: false, dashed: false, extendLast: true },
    { key: 'p', label: 'p', x: [0, 1], y: [4, 0], faint: false, dashed: false, extendLast: true },
  ]);
});
test('a fork without points of its own yet is inherited throughout', () => {
  const { lines } = draw({
    ...series('f', [
      [0, 10, 4],
      [1, 11, 3],
    ]),
    forkStep: 5,
  });
  expect(lines.map(({ key, x }) => [key, x])).toEqual([['f:inherited', [0, 1]]]);
});
test('of a fork without steps the points are told apart by their time', () => {
  const own = {
    ...series('f', [
      [0, 10, 4],
      [1, 11, 3],
      [2, 12, 1],
    ]),
    forkStep: 1,
  };
  const { kind, lines, forks } = chartLines([own], { smoothed: (values) => values, styleOf: (label) => ({ label }), always: false, overTime: true });
  expect([kind, forks, lines.map(({ x }) => x)]).toEqual(['time', [11], [[10, 11, 12], [12]]]);
});
