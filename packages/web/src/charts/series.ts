/** Pure data shaping for charts; tested in series.test.ts. */

export interface ChartSeries {
  key: string;
  label: string;
  x: number[];
  y: (number | null)[];
  /** Lower and upper edge of each bucket; drawn as a band. */
  low?: (number | null)[];
  high?: (number | null)[];
  /** A CSS custom property, such as --bn-s1. */
  color?: string;
  dashed?: boolean;
  /** Lighter than the others. */
  faint?: boolean;
  /** Continue the last value to the right edge as a thin line. */
  extendLast?: boolean;
  /** Points without a line between them. */
  pointsOnly?: boolean;
}

export const SERIES_COLORS = ['--bn-s1', '--bn-s2', '--bn-s3', '--bn-s4', '--bn-s5', '--bn-s6', '--bn-s7', '--bn-s8'] as const;
export const seriesColor = (index: number): string => SERIES_COLORS[index % SERIES_COLORS.length] as string;

/** A row for x and one for each column, aligned; `undefined` where a series has no point (the line goes on), null is a gap. */
export type Aligned = [number[], ...(number | null | undefined)[][]];

/**
 * Puts series with points at different x on one x axis. Each series gives one column, or three (value, low, high)
 * when it has a band. Equal x are one point: the last value, the lowest low and the highest high.
 */
export function alignSeries(series: ChartSeries[]): Aligned {
  const first = series[0];
  if (first !== undefined && series.every((s) => s.x === first.x || sameNumbers(s.x, first.x)) && strictlyRising(first.x)) {
    return [first.x, ...series.flatMap(columnsOf)];
  }
  const xs = Float64Array.from(series.flatMap((s) => s.x)).sort();
  const unique: number[] = [];
  for (const x of xs) if (unique.length === 0 || unique[unique.length - 1] !== x) unique.push(x);
  const position = new Map(unique.map((x, i) => [x, i]));
  const columns: (number | null | undefined)[][] = [];
  for (const s of series) {
    columnsOf(s).forEach((column, which) => {
      const out = Array.from<number | null | undefined>({ length: unique.length });
      const join = JOINS[which] as (typeof JOINS)[number];
      for (let i = 0; i < s.x.length; i += 1) {
        const at = position.get(s.x[i] as number) as number;
        const [before, value] = [out[at], column[i] as number | null];
        out[at] = before === undefined || before === null || value === null ? (value ?? before ?? null) : join(before, value);
      }
      columns.push(out);
    });
  }
  return [unique, ...columns];
}
const JOINS = [(_: number, b: number) => b, Math.min, Math.max] as const;
const columnsOf = (s: ChartSeries): (number | null)[][] => (s.low !== undefined && s.high !== undefined ? [s.y, s.low, s.high] : [s.y]);
const sameNumbers = (a: number[], b: number[]): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
const strictlyRising = (xs: number[]): boolean => xs.every((x, i) => i === 0 || x > (xs[i - 1] as number));

/**
 * Exponential smoothing without start-up bias; `weight` in [0, 1) is the share of the past. Gaps stay gaps and do
 * not pull the line.
 */
export function smooth(values: (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return values;
  let last = 0;
  let seen = 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return value === null ? null : value;
    last = last * weight + (1 - weight) * value;
    seen += 1;
    return last / (1 - weight ** seen);
  });
}

export type Range = [number, number];

/** Zooms a range about its middle; factor < 1 zooms in. Stays inside `bounds`, gives null for the whole. */
export function zoomRange(range: Range, factor: number, bounds: Range): Range | null {
  const middle = (range[0] + range[1]) / 2;
  const half = ((range[1] - range[0]) / 2) * factor;
  return clampRange([middle - half, middle + half], bounds);
}

/** Moves a range by a share of its width without leaving `bounds`. */
export function panRange(range: Range, share: number, bounds: Range): Range | null {
  const width = range[1] - range[0];
  let start = range[0] + width * share;
  start = Math.max(bounds[0], Math.min(start, bounds[1] - width));
  return clampRange([start, start + width], bounds);
}
function clampRange([from, to]: Range, bounds: Range): Range | null {
  const low = Math.max(from, bounds[0]);
  const high = Math.min(to, bounds[1]);
  return low <= bounds[0] && high >= bounds[1] ? null : [low, high];
}

/** A sensible y range: padded; a flat line gets room around it. Ignores gaps and infinities. */
export function yRange(columns: (number | null | undefined)[][]): Range | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const column of columns) {
    for (const value of column) {
      if (value === null || value === undefined || !Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return null;
  const pad = high === low ? Math.abs(high) * 0.1 || 1 : (high - low) * 0.06;
  return [low - pad, high + pad];
}

/**
 * Labels of a local time axis, short, with the date (and the year) on a second line where it changes. `step` is the
 * distance of the ticks in milliseconds.
 */
export function timeTicks(ticks: number[], step: number): string[] {
  const day = 86_400_000;
  let before: Date | undefined;
  return ticks.map((tick) => {
    const at = new Date(tick);
    const date = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
    const newYear = before === undefined || before.getFullYear() !== at.getFullYear();
    const newDay = newYear || before?.toDateString() !== at.toDateString();
    before = at;
    if (step >= day) return `${step >= 28 * day ? at.toLocaleDateString('en-GB', { month: 'short' }) : date}${newYear ? `\n${at.getFullYear()}` : ''}`;
    const clock = `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}${step < 60_000 ? `:${String(at.getSeconds()).padStart(2, '0')}` : ''}`;
    return `${clock}${newDay ? `\n${date}${newYear ? ` ${at.getFullYear()}` : ''}` : ''}`;
  });
}
