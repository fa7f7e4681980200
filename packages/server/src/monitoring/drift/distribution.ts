import type { Distribution } from '@binnacle/contract';
import type { CategorySketch, NumericSketch } from '../profile/index.ts';
import { type CategoricalBaseline, type FeatureBaseline, layoutOf, type NumericBaseline } from '../training/training-profile.ts';

const BARS = 30;
const CATEGORIES = 20;
type Shape = Pick<Distribution, 'edges' | 'categories'> & { baseline: number[]; current: number[] };

/** Both sides as shares on bins that can be drawn: 30 of equal width where nearly all values lie, or the 20 most frequent categories. */
export function shapeOf(baseline: FeatureBaseline, sketch: NumericSketch | CategorySketch | null): Shape {
  if (baseline.kind === 'numeric') return numericShape(baseline, sketch as NumericSketch | null);
  return categoryShape(baseline, sketch as CategorySketch | null);
}

interface Pieces {
  /** Rows between low and high, spread evenly. */
  pieces: { low: number; high: number; rows: number }[];
  rows: number;
}

/** Quantile bins are unreadable as bars: their rows are spread evenly over each bin and counted again on bins of equal width. */
function numericShape(baseline: NumericBaseline, sketch: NumericSketch | null): Shape {
  const { edges } = layoutOf(baseline);
  const reference = piecesOf(edges, baseline.counts, baseline.min, baseline.max);
  const current = sketch === null ? { pieces: [], rows: 0 } : piecesOf(edges, sketch.counts, sketch.moments.min, sketch.moments.max);
  const sides = [reference, current].filter(({ rows }) => rows > 0);
  const low = sides.length === 0 ? baseline.min : Math.min(...sides.map((side) => quantile(side, 0.005)));
  let high = sides.length === 0 ? baseline.max : Math.max(...sides.map((side) => quantile(side, 0.995)));
  if (!(high > low)) high = low + Math.max(1e-9, Math.abs(low) * 1e-9);
  const bars = Array.from({ length: BARS + 1 }, (_, i) => low + ((high - low) * i) / BARS);
  return { edges: bars, categories: null, baseline: rebin(reference, bars), current: rebin(current, bars) };
}

function piecesOf(edges: Float64Array, counts: ArrayLike<number>, min: number, max: number): Pieces {
  const pieces: Pieces['pieces'] = [];
  let rows = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number;
    if (count === 0) continue;
    const first = edges[0] as number;
    const last = edges[edges.length - 1] as number;
    const low = bin === 0 ? Math.min(min, first) : (edges[bin - 1] as number);
    const high = bin === edges.length ? Math.max(max, last) : (edges[bin] as number);
    pieces.push({ low, high, rows: count });
    rows += count;
  }
  return { pieces, rows };
}

function quantile({ pieces, rows }: Pieces, q: number): number {
  let left = q * rows;
  for (const piece of pieces) {
    if (left <= piece.rows) return piece.low + ((piece.high - piece.low) * left) / piece.rows;
    left -= piece.rows;
  }
  return pieces[pieces.length - 1]?.high ?? 0;
}

/** Shares under, in each bar, and over. */
function rebin({ pieces, rows }: Pieces, bars: number[]): number[] {
  const shares = [0, ...bars.map(() => 0)];
  if (rows === 0) return shares;
  const width = (bars[1] as number) - (bars[0] as number);
  const put = (index: number, amount: number) => {
    shares[index] = (shares[index] as number) + amount / rows;
  };
  for (const { low, high, rows: count } of pieces) {
    if (!(high > low)) {
      put(Math.min(bars.length, Math.max(0, Math.floor((low - (bars[0] as number)) / width) + 1)), count);
      continue;
    }
    for (let i = 0; i <= bars.length; i++) {
      const from = i === 0 ? Number.NEGATIVE_INFINITY : (bars[i - 1] as number);
      const to = i === bars.length ? Number.POSITIVE_INFINITY : (bars[i] as number);
      const overlap = Math.min(high, to) - Math.max(low, from);
      if (overlap > 0) put(i, (count * overlap) / (high - low));
    }
  }
  return shares;
}

function categoryShape(baseline: CategoricalBaseline, sketch: CategorySketch | null): Shape {
  const reference = new Map(baseline.categories.map(({ value, count }) => [value, count]));
  const referenceRows = baseline.categories.reduce((sum, { count }) => sum + count, baseline.other) || 1;
  const currentRows = (sketch === null ? 0 : sketch.rows - sketch.missing) || 1;
  const share = (name: string): number => Math.max((reference.get(name) ?? 0) / referenceRows, (sketch?.counts.get(name) ?? 0) / currentRows);
  const names = [...new Set([...reference.keys(), ...(sketch?.counts.keys() ?? [])])]
    .map((name) => [name, share(name)] as const)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = names.slice(0, CATEGORIES).map(([name]) => name);
  const rest = names.length > CATEGORIES || baseline.other > 0 || (sketch?.other ?? 0) > 0;
  const shares = (count: (name: string) => number, rows: number, any: boolean) => {
    const listed = shown.map((name) => count(name) / rows);
    return rest ? [...listed, any ? Math.max(0, 1 - listed.reduce((a, b) => a + b, 0)) : 0] : listed;
  };
  return {
    edges: null,
    categories: rest ? [...shown, '(other)'] : shown,
    baseline: shares((name) => reference.get(name) ?? 0, referenceRows, true),
    current: shares((name) => sketch?.counts.get(name) ?? 0, currentRows, sketch !== null && sketch.rows > sketch.missing),
  };
}
