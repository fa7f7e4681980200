import { expect, test } from 'vitest';
import { alignSeries, type ChartSeries, panRange, smooth, timeTicks, yRange, zoomRange } from './series.ts';

const line = (x: number[], y: (number | null)[], more: Partial<ChartSeries> = {}): ChartSeries => ({ key: 'k', label: 'k', x, y, ...more });

test('series with the same x are taken as they are', () => {
  const x = [1, 2, 3];
  expect(alignSeries([line(x, [1, null, 3]), line([1, 2, 3], [4, 5, 6])])).toEqual([x, [1, null, 3], [4, 5, 6]]);
});
test('series with different x share one axis; absent points are undefined, gaps stay null', () => {
  expect(alignSeries([line([1, 3], [10, null]), line([2, 3], [20, 30])])).toEqual([
    [1, 2, 3],
    [10, undefined, null],
    [undefined, 20, 30],
  ]);
});
test('a band adds its edges', () => {
  expect(alignSeries([line([1, 2], [5, 6], { low: [4, 5], high: [7, 8] })])).toEqual([
    [1, 2],
    [5, 6],
    [4, 5],
    [7, 8],
  ]);
});
test('a point logged twice at one x is one point, the later wins', () => {
  expect(alignSeries([line([1, 1, 2], [5, 6, 7])])).toEqual([
    [1, 2],
    [6, 7],
  ]);
});
test('negative and unsorted x come out in order', () => {
  expect(alignSeries([line([2, -1], [1, 2]), line([0], [3])])[0]).toEqual([-1, 0, 2]);
});
test('nothing gives an empty axis', () => expect(alignSeries([])).toEqual([[]]));

test('smoothing starts at the first value, keeps gaps and does nothing at weight 0', () => {
  const values = [1, null, 3, Number.NaN, 3];
  expect(smooth(values, 0)).toBe(values);
  const out = smooth(values, 0.5);
  expect(out[0]).toBe(1);
  expect(out[1]).toBeNull();
  expect(out[2]).toBeCloseTo(7 / 3);
  expect(out[3]).toBeNaN();
  expect(out[4]).toBeGreaterThan(out[2] as number);
});

test('zooming stays inside the data and out to the whole is null', () => {
  expect(zoomRange([0, 100], 0.5, [0, 100])).toEqual([25, 75]);
  expect(zoomRange([25, 75], 2, [0, 100])).toBeNull();
  expect(zoomRange([0, 20], 2, [0, 100])).toEqual([0, 30]);
});
test('panning stops at the edge and keeps its width', () => {
  expect(panRange([20, 40], 0.5, [0, 100])).toEqual([30, 50]);
  expect(panRange([20, 40], -5, [0, 100])).toEqual([0, 20]);
  expect(panRange([80, 100], 1, [0, 100])).toEqual([80, 100]);
});
test('the y range ignores gaps and infinities and gives a flat line room', () => {
  expect(yRange([[null, undefined, Number.POSITIVE_INFINITY, Number.NaN]])).toBeNull();
  expect(yRange([[5, 5]])).toEqual([4.5, 5.5]);
  expect(yRange([[0, 0]])).toEqual([-1, 1]);
  expect(yRange([[0, 100]])).toEqual([-6, 106]);
});

test('time ticks name the day and the year only where they change', () => {
  const at = (day: number, hour: number) => new Date(2001, 4, day, hour).getTime();
  expect(timeTicks([at(7, 22), at(7, 23), at(8, 0)], 3_600_000)).toEqual(['22:00\n7 May 2001', '23:00', '00:00\n8 May']);
  expect(timeTicks([new Date(2001, 11, 25).getTime(), new Date(2002, 0, 1).getTime(), new Date(2002, 0, 8).getTime()], 7 * 86_400_000)).toEqual([
    '25 Dec\n2001',
    '1 Jan\n2002',
    '8 Jan',
  ]);
});

test('equal x of one series are one point that keeps the spread', () => {
  const s = { key: 'a', label: 'a', x: [1, 1, 1, 2], y: [5, 9, 7, 1], low: [5, 9, 7, 1], high: [5, 9, 7, 1] };
  expect(alignSeries([s])).toEqual([
    [1, 2],
    [7, 1],
    [5, 1],
    [9, 1],
  ]);
});
