import type { Series, SeriesPoint } from '@binnacle/contract';
import type { ChartSeries } from '../../charts/series.ts';
import { toNumber } from '../../ui/format.ts';

export type XKind = 'step' | 'time' | 'relative';
/** Beyond so many lines a chart holds fewer points of each, and no bands. */
export const MANY_LINES = 20;
const MOST_PLACES = 600;

export const orNull = (value: number | string): number | null => {
  const number = toNumber(value);
  return Number.isFinite(number) ? number : null;
};

/**
 * What the x axis is. A metric that is logged without a step has step 0 at every point, and says only by its time where a point belongs; several
 * runs are then laid over each other from their own starts.
 */
export function xKindOf(series: Series[]): XKind {
  const lines = series.filter((s) => s.points.length > 1);
  if (lines.length === 0 || !lines.every((s) => s.points.every((p) => p.step === s.points[0]?.step))) return 'step';
  return series.filter((s) => s.points.length > 0).length > 1 ? 'relative' : 'time';
}

interface Place {
  x: number;
  value: number | string;
  low: number | null;
  high: number | null;
  merged: boolean;
}

/** The points of a series along x; several at one x become one with the last value and the spread of all. */
function places(points: SeriesPoint[], xOf: (point: SeriesPoint) => number): Place[] {
  const out: Place[] = [];
  const sorted = points.map((p) => ({ x: xOf(p), p })).sort((a, b) => a.x - b.x);
  for (const { x, p } of sorted) {
    const before = out[out.length - 1];
    const [low, high] = [orNull(p.min), orNull(p.max)];
    if (before === undefined || before.x !== x) out.push({ x, value: p.value, low, high, merged: p.count > 1 });
    else {
      before.value = p.value;
      before.low = least(before.low, low);
      before.high = most(before.high, high);
      before.merged = true;
    }
  }
  return out;
}
const least = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.min(a, b));
const most = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.max(a, b));

export interface LinesOptions {
  smoothed: (values: (number | null)[]) => (number | null)[];
  /** A run’s label and look. */
  styleOf: (runId: string) => Pick<ChartSeries, 'label' | 'color' | 'dashed'>;
  /** Draws the spread where every point stands alone, too. */
  always: boolean;
  /** Over time, whatever the steps are. */
  overTime?: boolean;
}
export interface Lines {
  kind: XKind;
  lines: ChartSeries[];
  thinned: boolean;
  /** Where the runs that are forks begin to be their own, along x. */
  forks: number[];
}

/** Lines of one metric for a chart; pure, tested in shape.test.ts. What a fork has from its parent is a line of its own, faint and dashed. */
export function chartLines(series: Series[], { smoothed, styleOf, always, overTime = false }: LinesOptions): Lines {
  const shown = series.filter((s) => s.points.length > 0);
  const kind = overTime ? (shown.length > 1 ? 'relative' : 'time') : xKindOf(shown);
  const xOf = (s: Series): ((p: SeriesPoint) => number) => {
    if (kind === 'step') return (p) => p.step;
    if (kind === 'time') return (p) => p.timestamp;
    const start = Math.min(...s.points.map((p) => p.timestamp));
    return (p) => (p.timestamp - start) / 1000;
  };
  const grid = shown.length > MANY_LINES ? gridOf(shown, xOf) : undefined;
  const forks = new Set<number>();
  const lines = shown.flatMap((s): ChartSeries[] => {
    const own = xOf(s);
    const points = places(s.points, grid === undefined ? own : (p) => grid(own(p)));
    const spread = shown.length <= MANY_LINES && (always || points.some((p) => p.merged));
    const line: ChartSeries = {
      key: s.runId,
      ...styleOf(s.runId),
      x: points.map((p) => p.x),
      y: smoothed(points.map((p) => orNull(p.value))),
      extendLast: true,
      ...(spread ? { low: points.map((p) => p.low), high: points.map((p) => p.high) } : {}),
    };
    if (s.forkStep === null) return [line];
    const inherited = s.points.filter((p) => p.step <= (s.forkStep as number)).map(own);
    if (inherited.length === 0) return [line];
    const border = kind === 'step' ? s.forkStep : Math.max(...inherited);
    forks.add(border);
    return parted(line, line.x.filter((x) => x <= border).length);
  });
  return { kind, lines, thinned: grid !== undefined, forks: [...forks].sort((a, b) => a - b) };
}

/** A line whose first `count` points are of the run before: two lines that meet in the first point of its own. */
function parted(line: ChartSeries, count: number): ChartSeries[] {
  const part = (from: number, to: number): Pick<ChartSeries, 'x' | 'y' | 'low' | 'high'> => ({
    x: line.x.slice(from, to),
    y: line.y.slice(from, to),
    ...(line.low === undefined || line.high === undefined ? {} : { low: line.low.slice(from, to), high: line.high.slice(from, to) }),
  });
  const before: ChartSeries = { ...line, ...part(0, count + 1), key: `${line.key}:inherited`, label: `${line.label}, inherited`, dashed: true, faint: true };
  if (count >= line.x.length) return [before];
  return [
    { ...before, extendLast: false },
    { ...line, ...part(count, line.x.length) },
  ];
}

/**
 * One grid for many lines. Each x of each run would be a row of the chart for all of them: 200 runs of unequal length are 60,000 rows and
 * 12 million cells, of which a screen shows some hundred.
 */
function gridOf(series: Series[], xOf: (s: Series) => (p: SeriesPoint) => number): ((x: number) => number) | undefined {
  const all = new Set<number>();
  for (const s of series) {
    const own = xOf(s);
    for (const p of s.points) all.add(own(p));
  }
  if (all.size <= MOST_PLACES) return undefined;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const x of all) [low, high] = [Math.min(low, x), Math.max(high, x)];
  const width = (high - low) / MOST_PLACES;
  return (x) => low + Math.round((x - low) / width) * width;
}
