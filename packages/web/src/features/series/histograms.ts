import type { Histogram, SeriesEntry } from '@binnacle/contract';
import { rebin } from '../../charts/rebin.ts';

/** Histograms over steps, brought onto the same bins. Pure; tested in histograms.test.ts. */
export interface HistogramAt extends Histogram {
  step: number;
  timestamp: number;
  inherited: boolean;
  total: number;
}
export interface HeatGrid {
  /** Edges of the rows, from low to high. */
  edges: number[];
  /** A column a step: the share of each row, 0 to 1, lowest row first. */
  columns: number[][];
  /** The largest share. */
  top: number;
}

export const histogramsOf = (entries: readonly SeriesEntry[]): HistogramAt[] =>
  entries.flatMap(({ step, timestamp, inherited, value }) =>
    typeof value === 'object' && 'edges' in value && value.edges.length > 1
      ? [{ ...value, step, timestamp, inherited, total: value.counts.reduce((sum, n) => sum + n, 0) }]
      : [],
  );

/** All on `rows` equal bins from the lowest edge to the highest; within a bin of its own, a histogram is taken to be even. */
export function heatGrid(histograms: readonly HistogramAt[], rows: number): HeatGrid {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { edges, counts } of histograms) {
    // Empty bins at the ends would stretch the picture.
    const [first, last] = [counts.findIndex((n) => n > 0), counts.findLastIndex((n) => n > 0)];
    if (first < 0) continue;
    low = Math.min(low, edges[first] as number);
    high = Math.max(high, edges[last + 1] as number);
  }
  if (low > high) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  let top = 0;
  const columns = histograms.map(({ edges, counts, total }) => {
    if (total === 0) return Array.from({ length: rows }, () => 0);
    // The ends of all are ends of this one, so that its bins fall onto theirs.
    const { inner } = rebin([low, ...edges.map((e) => Math.max(low, Math.min(high, e))), high], [0, 0, ...counts.map((n) => n / total), 0, 0], rows);
    top = Math.max(top, ...inner);
    return inner;
  });
  return { edges: Array.from({ length: rows + 1 }, (_, i) => low + ((high - low) * i) / rows), columns, top };
}

/** Bars of one histogram: how high each is, by density where the bins are not equally wide. */
export function barsOf({ edges, counts }: Histogram): { from: number; to: number; count: number; height: number }[] {
  const widths = counts.map((_, i) => (edges[i + 1] as number) - (edges[i] as number));
  const widest = Math.max(...widths);
  const equal = widths.every((w) => Math.abs(w - widest) <= widest * 1e-6);
  return counts.map((count, i) => {
    const width = widths[i] as number;
    return { from: edges[i] as number, to: edges[i + 1] as number, count, height: equal || width <= 0 ? count : (count * widest) / width };
  });
}

/** Mean and standard deviation, with each count in the middle of its bin. */
export function momentsOf({ edges, counts }: Histogram): { mean: number; deviation: number } | undefined {
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (total === 0) return undefined;
  const middles = counts.map((_, i) => ((edges[i] as number) + (edges[i + 1] as number)) / 2);
  const mean = counts.reduce((sum, n, i) => sum + n * (middles[i] as number), 0) / total;
  const variance = counts.reduce((sum, n, i) => sum + n * ((middles[i] as number) - mean) ** 2, 0) / total;
  return { mean, deviation: Math.sqrt(variance) };
}

/** The place in a list of steps that is nearest to a step. */
export function nearestIndex(steps: readonly number[], step: number | undefined): number {
  if (step === undefined) return steps.length - 1;
  let best = 0;
  steps.forEach((at, i) => {
    if (Math.abs(at - step) < Math.abs((steps[best] as number) - step)) best = i;
  });
  return best;
}
