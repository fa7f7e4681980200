import { categoryKey, type ColumnValue, type ColumnValues, isMissing, looksNumeric, NumericSketch, numericLayout, toNumber } from '../profile/index.ts';
import type { FeatureBaseline, TrainingProfile } from './training-profile.ts';

/** Quantile bins between minimum and maximum; 64 keep KS within about 0.001 of exact. */
const BINS = 64;
/** A number with so few different values is a category (as Evidently has it). */
const FEW_VALUES = 5;
const PARTS = 10;
const MAX_KEPT = 1000;
const MAX_DISTINCT = 200_000;
/** Column names that are the model's outputs or the label, not its features. */
const OUTPUTS = new Set(['prediction', 'score']);
const TARGET = 'target';

export interface ProfileInput {
  /** Rows of the whole data; the columns may be a sample of them. */
  rows: number;
  columns: { name: string; values: ColumnValues }[];
  source: TrainingProfile['source'];
  detail: string;
  createdAt: number;
}

/** The profile of training rows (or of a first window of live ones). Gives way to the event loop between columns. */
export async function buildTrainingProfile(input: ProfileInput): Promise<TrainingProfile> {
  const profile: TrainingProfile = {
    format: 'binnacle-training-profile',
    version: 1,
    source: input.source,
    detail: input.detail,
    rows: input.rows,
    createdAt: input.createdAt,
    features: [],
    outputs: [],
  };
  for (const { name, values } of input.columns) {
    if (name === TARGET) continue;
    (OUTPUTS.has(name) ? profile.outputs : profile.features).push(profileColumn(name, values));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return profile;
}

export function profileColumn(name: string, values: ColumnValues): FeatureBaseline {
  if (!looksNumeric(values)) return categorical(name, values);
  const finite = Float64Array.from(values as ArrayLike<ColumnValue>, toNumber)
    .filter(Number.isFinite)
    .sort();
  if (countDistinct(finite) <= FEW_VALUES) return categorical(name, values);
  return numeric(name, values, finite);
}

function countDistinct(sorted: Float64Array): number {
  let distinct = 0;
  for (let i = 0; i < sorted.length && distinct <= FEW_VALUES; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) distinct++;
  return distinct;
}

function numeric(name: string, values: ColumnValues, sorted: Float64Array): FeatureBaseline {
  let sum = 0;
  for (const value of sorted) sum += value;
  const layout = numericLayout(quantileEdges(sorted), sum / sorted.length);
  const sketch = NumericSketch.over(layout);
  sketch.addColumn(values, 0, values.length, layout);
  const { mean, std, min, max } = sketch.moments;
  return {
    name,
    kind: 'numeric',
    rows: values.length,
    missing: missingShare(values),
    mean,
    std,
    min,
    max,
    edges: [...layout.edges],
    counts: [...sketch.counts],
    means: [...sketch.counts].map((count, bin) => (count === 0 ? null : layout.origin + (sketch.sums[bin] ?? 0) / count)),
  };
}

/**
 * Edges at the 1/64 quantiles, each one a value of the data, rounded down to float32 where that is lower: most models read float32, and
 * the same value must not fall on the other side of an edge because of it. The last edge is just above the maximum.
 */
export function quantileEdges(sorted: Float64Array): number[] {
  const edges: number[] = [];
  for (let i = 0; i < BINS; i++) {
    const value = sorted[Math.min(sorted.length - 1, Math.floor((i * sorted.length) / BINS))] as number;
    const edge = Math.min(value, Math.fround(value));
    if (edges.length === 0 || edge > (edges[edges.length - 1] as number)) edges.push(edge);
  }
  const max = sorted[sorted.length - 1] as number;
  edges.push(nextUp(Math.max(max, Number.isFinite(Math.fround(max)) ? Math.fround(max) : max)));
  return edges;
}

/** The next larger double. */
function nextUp(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return view.getFloat64(0);
}

function categorical(name: string, values: ColumnValues): FeatureBaseline {
  const counts = new Map<string, number>();
  let [missing, beyond] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = (values as ArrayLike<ColumnValue>)[i];
    if (isMissing(value)) {
      missing++;
      continue;
    }
    const key = categoryKey(value as string);
    const before = counts.get(key);
    if (before === undefined && counts.size >= MAX_DISTINCT) beyond++;
    else counts.set(key, (before ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const kept = sorted.slice(0, MAX_KEPT).map(([value, count]) => ({ value, count }));
  const named = kept.reduce((total, { count }) => total + count, 0);
  return {
    name,
    kind: 'categorical',
    rows: values.length,
    missing: missingShare(values),
    categories: kept,
    other: values.length - missing - named,
    // Of free text beyond the cap every row is taken to be new.
    distinct: counts.size + beyond,
    singletons: sorted.reduce((total, [, count]) => total + (count === 1 ? 1 : 0), 0),
  };
}

function missingShare(values: ColumnValues): { share: number; std: number } {
  const rows = values.length;
  if (rows === 0) return { share: 0, std: 0 };
  const parts = Math.min(PARTS, rows);
  const shares = Array.from({ length: parts }, (_, part) => {
    const [from, to] = [Math.floor((part * rows) / parts), Math.floor(((part + 1) * rows) / parts)];
    let missing = 0;
    for (let i = from; i < to; i++) if (isMissing((values as ArrayLike<ColumnValue>)[i])) missing++;
    return { missing, rows: to - from };
  });
  const share = shares.reduce((sum, part) => sum + part.missing, 0) / rows;
  const variance = shares.reduce((sum, part) => sum + (part.missing / part.rows - share) ** 2, 0) / parts;
  return { share, std: Math.sqrt(variance) };
}
