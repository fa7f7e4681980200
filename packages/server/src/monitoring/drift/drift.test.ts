import type { Alarm } from '@binnacle/contract';
import { describe, expect, it } from 'vitest';
import { CategorySketch, type ColumnValues, NumericSketch } from '../profile/index.ts';
import { profileColumn } from '../training/build-profile.ts';
import { categoriesOf, layoutOf } from '../training/training-profile.ts';
import { findEpisodes, type JudgedWindow, reconcileAlarms } from './alarms.ts';
import { type Comparison, compare } from './compare.ts';
import { jsDistance, ksStatistic, mergeBins, psi, wasserstein1 } from './distances.ts';
import { shapeOf } from './distribution.ts';
import { chartBucket, isComplete, levelFor, windowStart } from './windows.ts';

const thresholds = { js: 0.1, w1n: 0.1, ks: 0.1, psi: 0.25 };
const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;

function judgeColumn(training: ColumnValues, live: ColumnValues): Comparison {
  const baseline = profileColumn('x', training);
  if (baseline.kind === 'numeric') {
    const sketch = NumericSketch.over(layoutOf(baseline));
    sketch.addColumn(live, 0, live.length, layoutOf(baseline));
    return compare(baseline, sketch, live.length, thresholds);
  }
  const sketch = new CategorySketch();
  sketch.addColumn(live, 0, live.length, categoriesOf(baseline));
  return compare(baseline, sketch, live.length, thresholds);
}
const numbers = (n: number, at: (i: number) => number): Float64Array => Float64Array.from({ length: n }, (_, i) => at(i));
const nothing = (n: number): null[] => Array.from({ length: n }, () => null);
const finite = (result: Comparison): boolean =>
  [result.js, result.psi, result.noiseFloor, result.threshold, result.missingShare, result.unseenShare, result.ks ?? 0, result.w1n ?? 0].every(Number.isFinite);

describe('corner cases of the measures', () => {
  it('nothing on one side gives null, never NaN', () => {
    for (const measure of [jsDistance, ksStatistic, psi]) expect(measure([0, 0], [1, 2])).toBeNull();
    expect(wasserstein1([], [], [], [])).toBeNull();
    expect(mergeBins([0, 0, 0], 10)).toEqual(new Uint16Array(3));
  });

  it('a constant column is no drift against itself and full drift against another constant', () => {
    const same = judgeColumn(
      numbers(1000, () => 7),
      numbers(600, () => 7),
    );
    expect(finite(same)).toBe(true);
    expect(same).toMatchObject({ js: 0, psi: 0, drift: false, warning: false });
    expect(
      judgeColumn(
        numbers(1000, () => 7),
        numbers(600, () => 8),
      ),
    ).toMatchObject({ js: 1, drift: true, unseenShare: 1 });
  });

  it('one row, all missing, all NaN and only infinities are judged without NaN', () => {
    const training = numbers(5000, (i) => i % 100);
    for (const live of [numbers(1, () => 5), numbers(700, () => Number.NaN), numbers(700, () => Number.POSITIVE_INFINITY), nothing(700)]) {
      expect(finite(judgeColumn(training, live))).toBe(true);
    }
    const missing = judgeColumn(training, nothing(700));
    expect(missing).toMatchObject({ missingShare: 1, js: 1, drift: true });
    expect(
      judgeColumn(
        numbers(1, () => 5),
        numbers(1, () => 5),
      ).drift,
    ).toBe(false);
    expect(
      finite(
        judgeColumn(
          nothing(100),
          numbers(600, (i) => i),
        ),
      ),
    ).toBe(true);
  });

  it('a new category is counted as unseen, and training without it does not crash', () => {
    const training = Array.from({ length: 2000 }, (_, i) => ['a', 'b', 'c'][i % 3] as string);
    const some = judgeColumn(
      training,
      Array.from({ length: 1000 }, (_, i) => (i % 10 === 0 ? 'new' : ['a', 'b', 'c'][i % 3]) as string),
    );
    expect(some.unseenShare).toBeCloseTo(0.1, 6);
    expect(some.unseenShare).toBeGreaterThan(some.unseenThreshold);
    expect(
      judgeColumn(
        training,
        Array.from({ length: 1000 }, () => 'new'),
      ),
    ).toMatchObject({ js: 1, unseenShare: 1, drift: true });
  });

  it('values that float32 moves across a quantile are no drift', () => {
    const training = numbers(5000, (i) => (i % 10) / 10 + 0.7);
    const live = Float32Array.from(training);
    expect(judgeColumn(training, live)).toMatchObject({ js: 0, drift: false, unseenShare: 0 });
  });

  it('five different numbers are categories, six are numbers', () => {
    expect(
      profileColumn(
        'x',
        numbers(100, (i) => i % 5),
      ).kind,
    ).toBe('categorical');
    expect(
      profileColumn(
        'x',
        numbers(100, (i) => i % 6),
      ).kind,
    ).toBe('numeric');
    expect(profileColumn('x', [true, false, null]).kind).toBe('categorical');
  });

  it('a shape sums to one, also with values far outside and with a constant', () => {
    for (const [training, live] of [
      [numbers(5000, (i) => i % 100), numbers(500, (i) => (i % 100) * 50 - 1000)],
      [numbers(5000, (i) => (i === 0 ? 1e9 : i % 7)), numbers(500, (i) => i % 7)],
    ] as const) {
      const baseline = profileColumn('x', training);
      const sketch = NumericSketch.over(layoutOf(baseline as never));
      sketch.addColumn(live, 0, live.length, layoutOf(baseline as never));
      const shape = shapeOf(baseline, sketch);
      for (const shares of [shape.baseline, shape.current]) expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
      expect(shape.baseline).toHaveLength((shape.edges?.length ?? 0) + 1);
    }
  });
});

describe('windows', () => {
  it('weeks start on Mondays in UTC; days and hours at their own beginning; summer time moves nothing', () => {
    expect(new Date(windowStart(Date.parse('2001-06-13T12:00:00Z'), WEEK)).toISOString()).toBe('2001-06-11T00:00:00.000Z');
    expect(new Date(windowStart(Date.parse('2001-06-11T00:00:00Z'), WEEK)).toISOString()).toBe('2001-06-11T00:00:00.000Z');
    expect(windowStart(Date.parse('2001-04-01T02:30:00Z'), 24 * HOUR)).toBe(Date.parse('2001-04-01T00:00:00Z'));
    expect([levelFor(WEEK), levelFor(6 * HOUR), levelFor(900_000)]).toEqual([86_400_000, 3_600_000, 300_000]);
    expect([chartBucket(HOUR), chartBucket(8 * WEEK), chartBucket(100 * 52 * WEEK)]).toEqual([300, 86_400, 2_419_200]);
  });

  it('a window is complete when event time has passed it, or the clock has and nothing comes any more; a replay never ends by the clock', () => {
    const end = 100 * HOUR;
    const now = 200 * HOUR;
    expect(isComplete(end, HOUR, { watermark: end, lastReceivedAt: now }, now)).toBe(true);
    expect(isComplete(end, HOUR, { watermark: end - 1, lastReceivedAt: end - 1 }, end + 299_000)).toBe(false);
    expect(isComplete(end, HOUR, { watermark: end - 1, lastReceivedAt: end - 1 }, end + 400_000)).toBe(true);
    expect(isComplete(end, HOUR, { watermark: end - 1, lastReceivedAt: now }, now + WEEK)).toBe(false);
  });
});

const comparison = (change: Partial<Comparison>): Comparison => ({
  rows: 1000,
  js: 0.02,
  jsPresent: 0.02,
  ks: 0,
  w1n: 0,
  psi: 0,
  noiseFloor: 0.05,
  threshold: 0.11,
  missingShare: 0,
  missingThreshold: 0.01,
  unseenShare: 0,
  unseenThreshold: 0.01,
  mean: 0,
  drift: false,
  warning: false,
  ...change,
});
const drifted = comparison({ js: 0.3, jsPresent: 0.3, drift: true });
const windows = (...cells: (Comparison | null)[]): JudgedWindow[] =>
  cells.map((cell, i) => ({
    start: i * WEEK,
    driftedShare: cell === null ? null : cell.drift ? 1 : 0,
    features: new Map([['x', { role: 'feature', excluded: false, comparison: cell }]]),
  }));
const clean = comparison({});

describe('alarms', () => {
  it('need as many windows in a row as set; too few rows neither break nor make an episode', () => {
    expect(findEpisodes(windows(clean, drifted, clean, drifted, clean), { consecutiveWindows: 2 })).toEqual([]);
    expect(findEpisodes(windows(clean, drifted, null, drifted, clean), { consecutiveWindows: 2 })).toMatchObject([
      { kind: 'feature-drift', feature: 'x', firstWindow: WEEK, lastWindow: 3 * WEEK, open: false, severity: 'critical' },
    ]);
    expect(findEpisodes(windows(clean, null, drifted), { consecutiveWindows: 1 })).toMatchObject([{ open: true, firstWindow: 2 * WEEK }]);
    expect(findEpisodes([], { consecutiveWindows: 1 })).toEqual([]);
  });

  it('missing values that are the whole difference raise one alarm, not two', () => {
    const gone = comparison({ js: 0.5, jsPresent: 0.01, drift: true, missingShare: 0.5 });
    expect(findEpisodes(windows(gone), { consecutiveWindows: 1 }).map(({ kind }) => kind)).toEqual(['missing-values']);
    const both = comparison({ js: 0.5, jsPresent: 0.4, drift: true, missingShare: 0.5 });
    expect(findEpisodes(windows(both), { consecutiveWindows: 1 }).map(({ kind }) => kind)).toEqual(['missing-values', 'feature-drift']);
  });

  it('excluded features may still miss values, but do not drift; outputs drift as predictions', () => {
    const window: JudgedWindow = {
      start: 0,
      driftedShare: 0,
      features: new Map([
        ['day', { role: 'feature', excluded: true, comparison: comparison({ drift: true, js: 0.9, jsPresent: 0.9, missingShare: 0.2 }) }],
        ['score', { role: 'output', excluded: false, comparison: drifted }],
      ]),
    };
    expect(findEpisodes([window], { consecutiveWindows: 1 }).map(({ kind, feature }) => [kind, feature])).toEqual([
      ['missing-values', 'day'],
      ['prediction-drift', 'score'],
    ]);
  });

  it('half of several features at once is the data as a whole', () => {
    const features = new Map(['a', 'b', 'c'].map((name) => [name, { role: 'feature' as const, excluded: false, comparison: name === 'c' ? clean : drifted }]));
    expect(findEpisodes([{ start: 0, driftedShare: 2 / 3, features }], { consecutiveWindows: 1 }).map(({ kind }) => kind)).toEqual([
      'feature-drift',
      'feature-drift',
      'dataset-drift',
    ]);
  });

  it('stored alarms follow: raised once, prolonged, closed on recovery, withdrawn when late rows change the past', () => {
    const episodes = findEpisodes(windows(clean, drifted, drifted), { consecutiveWindows: 1 });
    const raised = reconcileAlarms([], episodes, { from: 0 });
    expect([raised.raise.length, raised.update.length, raised.close.length]).toEqual([1, 0, 0]);
    const alarm: Alarm = { id: '1', endpoint: 'e', version: 1, raisedAt: 0, closedAt: null, state: 'open', ...(episodes[0] as object) } as Alarm;
    expect(reconcileAlarms([alarm], episodes, { from: 0 })).toEqual({ raise: [], update: [], close: [] });
    const closed = findEpisodes(windows(clean, drifted, drifted, clean), { consecutiveWindows: 1 });
    expect(reconcileAlarms([alarm], closed, { from: 0 }).update).toMatchObject([{ id: '1', episode: { open: false } }]);
    expect(reconcileAlarms([alarm], [], { from: 0 }).close).toEqual(['1']);
    // Older than all that was judged: what is open has ended since, unless nothing was judged.
    expect(reconcileAlarms([alarm], [], { from: 10 * WEEK }).close).toEqual(['1']);
    expect(reconcileAlarms([{ ...alarm, state: 'closed' }], [], { from: 10 * WEEK }).close).toEqual([]);
    expect(reconcileAlarms([alarm], [], { from: Number.POSITIVE_INFINITY }).close).toEqual([]);
  });

  it('an alarm that began before the first judged window keeps its beginning', () => {
    const [episode] = findEpisodes(windows(drifted, drifted), { consecutiveWindows: 1 });
    const from = (episode as { firstWindow: number }).firstWindow;
    const alarm = { id: '1', endpoint: 'e', version: 1, raisedAt: 0, closedAt: null, state: 'open', ...episode, firstWindow: from - WEEK } as Alarm;
    expect(reconcileAlarms([alarm], [episode as never], { from })).toEqual({ raise: [], update: [], close: [] });
  });
});
