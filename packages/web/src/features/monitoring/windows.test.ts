import type { Alarm, DriftCell } from '@binnacle/contract';
import { expect, test } from 'vitest';
import { alarmBands, boundOf, busiestSpan, clampRange, heatLevel, MOST_WINDOWS, wholeHistory, windowLabel } from './windows.ts';

test('the heat has its steps at the bound', () => {
  expect([0, 0.03, 0.05, 0.09, 0.1, 0.19, 0.2, 5].map((v) => heatLevel(v, 0.1))).toEqual([0, 0, 1, 2, 3, 3, 4, 4]);
  expect([heatLevel(null, 0.1), heatLevel(Number.NaN, 0.1)]).toEqual([null, null]);
});
test('JS is judged by the larger of threshold and noise floor', () => {
  const cell = { threshold: 0.1, noiseFloor: 0.14 } as DriftCell;
  const thresholds = { js: 0.1, ks: 0.2, w1n: 0.3, psi: 0.25 };
  expect([boundOf(cell, 'js', thresholds), boundOf(cell, 'ks', thresholds)]).toEqual([0.14, 0.2]);
});
test('windows are named in UTC', () => {
  const monday = Date.UTC(2001, 4, 7);
  expect(windowLabel(monday, monday + 7 * 86_400_000)).toBe('7 May – 13 May 2001');
  expect(windowLabel(monday, monday + 86_400_000)).toBe('7 May 2001');
  expect(windowLabel(monday, monday + 3_600_000)).toBe('7 May 2001 00:00–01:00 UTC');
});
test('an alarm covers its last window to the end', () => {
  const alarm = { firstWindow: 1000, lastWindow: 2000, state: 'open', message: 'm' } as Alarm;
  expect(alarmBands([alarm], 1)).toEqual([{ from: 1000, to: 3000, label: 'open alarm: m' }]);
});

test('one request of today does not hide a history of 2001', () => {
  const week = 7 * 86_400;
  const at = (start: number, predictions: number) => ({ start: start * 1000, predictions });
  const history = [at(0, 10_000), at(week, 9_000), at(2 * week, 11_000)];
  expect(busiestSpan([...history, ...Array.from({ length: 50 }, (_, i) => at((3 + i) * week, 0)), at(53 * week, 1)], week)).toEqual({
    from: 0,
    to: 3 * week * 1000,
    share: 30_000 / 30_001,
  });
  expect(busiestSpan(history, week)).toBeNull();
  expect(busiestSpan([...history, at(3 * week, 0), at(4 * week, 5)], week)).toBeNull();
  expect(busiestSpan([], week)).toBeNull();
});

test('the whole history reaches from the first to the last event, and stays put while a window fills', () => {
  const hour = 3_600_000;
  expect(wholeHistory(10, 5 * hour + 1, 3600)).toEqual({ from: 10, to: 6 * hour, cut: false });
  expect(wholeHistory(10, 5 * hour + 99, 3600)).toEqual(wholeHistory(10, 5 * hour + 1, 3600));
  expect(wholeHistory(null, null, 3600)).toBeNull();
});
test('a range of more windows than a server judges is cut to the newest', () => {
  const { from, to, cut } = clampRange(0, 5000 * 300_000, 300);
  expect([(to - from) / 300_000, to, cut]).toEqual([MOST_WINDOWS, 5000 * 300_000, true]);
});
