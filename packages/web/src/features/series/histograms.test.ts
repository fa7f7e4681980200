import { expect, test } from 'vitest';
import { barsOf, heatGrid, histogramsOf, momentsOf, nearestIndex } from './histograms.ts';

const of = (list: [edges: number[], counts: number[]][]) =>
  histogramsOf(list.map(([edges, counts], step) => ({ step, timestamp: step, inherited: false, value: { edges, counts } })));
const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);

test('histograms with other edges lie on the same rows, and keep their shares', () => {
  const { edges, columns, top } = heatGrid(
    of([
      [
        [0, 1, 2],
        [3, 1],
      ],
      [
        [1, 2, 4],
        [1, 1],
      ],
      [[0, 4], [8]],
    ]),
    4,
  );
  expect(edges).toEqual([0, 1, 2, 3, 4]);
  expect(columns).toEqual([
    [0.75, 0.25, 0, 0],
    [0, 0.5, 0.25, 0.25],
    [0.25, 0.25, 0.25, 0.25],
  ]);
  expect(top).toBe(0.75);
});
test('empty ends, histograms of nothing and of one value make a picture too', () => {
  expect(
    heatGrid(
      of([
        [
          [-1000, 0, 1, 1000],
          [0, 5, 0],
        ],
      ]),
      2,
    ).edges,
  ).toEqual([0, 0.5, 1]);
  expect(heatGrid(of([[[0, 1], [0]]]), 2).columns).toEqual([[0, 0]]);
  expect(heatGrid([], 3)).toMatchObject({ columns: [], edges: [0, 1 / 3, 2 / 3, 1] });
  for (const odd of [
    [
      [-1e300, 0, 1e300],
      [1, 1],
    ],
    [[0, 1e-300], [2]],
    [[5, 5.0000001], [1]],
  ] as [number[], number[]][])
    expect(sum(heatGrid(of([odd]), 10).columns[0] as number[])).toBeCloseTo(1, 6);
});
test('unequal bins are as high as they are dense', () => {
  expect(barsOf({ edges: [0, 1, 3], counts: [2, 2] }).map(({ height }) => height)).toEqual([4, 2]);
  expect(barsOf({ edges: [0, 1, 2], counts: [2, 5] }).map(({ height }) => height)).toEqual([2, 5]);
});
test('mean and deviation', () => {
  expect(momentsOf({ edges: [0, 2, 4], counts: [1, 1] })).toEqual({ mean: 2, deviation: 1 });
  expect(momentsOf({ edges: [0, 1], counts: [0] })).toBeUndefined();
});
test('the nearest step, and the last one when none is asked for', () => {
  expect([nearestIndex([0, 0.5, 1, 7], 0.6), nearestIndex([0, 1], undefined), nearestIndex([], 3), nearestIndex([0, 10], 100)]).toEqual([1, 1, 0, 1]);
});
