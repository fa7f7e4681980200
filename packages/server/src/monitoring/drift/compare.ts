import type { MonitorConfig } from '@binnacle/contract';
import { CategorySketch, type LogSketch, NumericSketch, type Sketch } from '../profile/index.ts';
import { type CategoricalBaseline, categoriesOf, type FeatureBaseline, layoutOf, type NumericBaseline } from '../training/training-profile.ts';
import { jsDistance, ksStatistic, mergeBins, normedWasserstein, psi, sumGroups, wasserstein1 } from './distances.ts';
import { ksFloor, noiseFloor, psiFloor, w1nFloor } from './noise.ts';

/** A feature of one window against its baseline. */
export interface Comparison {
  rows: number;
  js: number;
  /** Without the bin of missing values: what is left when those have an alarm of their own. */
  jsPresent: number | null;
  ks: number | null;
  w1n: number | null;
  psi: number;
  noiseFloor: number;
  /** What the JS distance must pass: the user's threshold on top of the expected noise, and the noise floor. */
  threshold: number;
  missingShare: number;
  missingThreshold: number;
  /** Categories that training never saw; for numbers, values outside its range. */
  unseenShare: number;
  unseenThreshold: number;
  mean: number | null;
  drift: boolean;
  warning: boolean;
}

const PSI_BINS = 10;
/** Shares of missing or unseen values that differ by less than this are nobody's alarm. */
const MINIMUM_SHARE = 0.01;

/** The sketches of one feature in a window, whatever layouts they were taken on, as one sketch on its baseline. Null where there are none. */
export function onBaseline(sketches: Sketch[], baseline: FeatureBaseline): NumericSketch | CategorySketch | null {
  if (baseline.kind === 'categorical') {
    const found = sketches.filter((sketch) => sketch.kind === 'categorical');
    if (found.length === 0) return null;
    const merged = new CategorySketch();
    for (const sketch of found) merged.merge(sketch);
    return merged;
  }
  const layout = layoutOf(baseline);
  const merged = NumericSketch.over(layout);
  let any = false;
  for (const sketch of sketches) {
    // Another numeric layout is of a baseline that has been replaced: its bins mean nothing here.
    if (sketch.kind === 'numeric' && sketch.layoutId === layout.id) merged.merge(sketch);
    else if (sketch.kind === 'log') merged.merge((sketch as LogSketch).toNumeric(layout, baseline));
    else continue;
    any = true;
  }
  return any ? merged : null;
}

interface Binned {
  reference: number[];
  current: number[];
  referenceMissing: number;
  currentMissing: number;
  unseen: number;
}

/**
 * @param rows Profiled rows of the window: those in which this feature did not come at all count as missing.
 * Throws nothing; `rows` must be above 0.
 */
export function compare(
  baseline: FeatureBaseline,
  sketch: NumericSketch | CategorySketch | null,
  rows: number,
  thresholds: MonitorConfig['thresholds'],
): Comparison {
  const binned =
    baseline.kind === 'numeric' ? binNumeric(baseline, sketch as NumericSketch | null, rows) : binCategories(baseline, sketch as CategorySketch | null, rows);
  const reference = [...binned.reference, binned.referenceMissing];
  const current = [...binned.current, binned.currentMissing];
  const floor = noiseFloor(reference, rows);
  const js = jsDistance(reference, current) ?? 0;
  const present = rows - binned.currentMissing;
  const threshold = Math.max(floor.distance, Math.sqrt(thresholds.js ** 2 + floor.meanDivergence));
  const secondary = baseline.kind === 'numeric' ? numericDistances(baseline, binned, sketch as NumericSketch | null) : { ks: null, w1n: null };
  const index = stability(binned);
  const missing = missingLimit(baseline, rows);
  const unseenShare = present === 0 ? 0 : binned.unseen / present;
  const unseenThreshold = baseline.kind === 'numeric' ? 1 : unseenLimit(baseline, present);
  const far = {
    ks: secondary.ks !== null && secondary.ks > Math.max(thresholds.ks, ksFloor(baseline.rows, present)),
    w1n: secondary.w1n !== null && secondary.w1n > Math.max(thresholds.w1n, w1nFloor(baseline.rows, present)),
    psi: index.value > thresholds.psi + psiFloor(index.bins, baseline.rows, rows),
  };
  const missingShare = binned.currentMissing / rows;
  const drift = js > threshold || (far.ks && far.w1n);
  return {
    rows,
    js,
    jsPresent: jsDistance(binned.reference, binned.current),
    ...secondary,
    psi: index.value,
    noiseFloor: floor.distance,
    threshold,
    missingShare,
    missingThreshold: missing,
    unseenShare,
    unseenThreshold,
    mean: sketch?.kind === 'numeric' && sketch.moments.count > 0 ? sketch.moments.mean : null,
    drift,
    warning: !drift && (far.ks || far.w1n || far.psi || missingShare > missing || unseenShare > unseenThreshold),
  };
}

function binNumeric(baseline: NumericBaseline, sketch: NumericSketch | null, rows: number): Binned {
  const current = sketch === null ? baseline.counts.map(() => 0) : [...sketch.counts];
  const present = current.reduce((sum, count) => sum + count, 0);
  return {
    reference: baseline.counts,
    current,
    referenceMissing: Math.round(baseline.missing.share * baseline.rows),
    currentMissing: Math.max(0, rows - present),
    unseen: (current[0] ?? 0) + (current[current.length - 1] ?? 0),
  };
}

function binCategories(baseline: CategoricalBaseline, sketch: CategorySketch | null, rows: number): Binned {
  const known = categoriesOf(baseline);
  const current = baseline.categories.map(({ value }) => sketch?.counts.get(value) ?? 0);
  let strangers = sketch?.other ?? 0;
  for (const [key, count] of sketch?.counts ?? []) if (!known.has(key)) strangers += count;
  const present = current.reduce((sum, count) => sum + count, strangers);
  return {
    // The baseline's own rare categories beyond the cap have no name left, so they share the strangers' bin.
    reference: [...baseline.categories.map(({ count }) => count), baseline.other],
    current: [...current, strangers],
    referenceMissing: Math.round(baseline.missing.share * baseline.rows),
    currentMissing: Math.max(0, rows - present),
    unseen: strangers,
  };
}

function numericDistances(baseline: NumericBaseline, binned: Binned, sketch: NumericSketch | null): { ks: number | null; w1n: number | null } {
  if (sketch === null) return { ks: null, w1n: null };
  const { edges, origin } = layoutOf(baseline);
  const last = binned.current.length - 1;
  const means = binned.current.map((count, bin) => {
    if (count === 0) return null;
    const mean = origin + (sketch.sums[bin] ?? 0) / count;
    // Infinite values are counted in the outermost bins but have no place on the axis: those bins' means stay outside the range at least.
    if (bin === 0) return Math.min(mean, edges[0] as number);
    return bin === last ? Math.max(mean, edges[last - 1] as number) : mean;
  });
  const w1 = wasserstein1(baseline.counts, baseline.means, binned.current, means);
  return { ks: ksStatistic(baseline.counts, binned.current), w1n: normedWasserstein(w1, baseline.std) };
}

/** PSI on ten bins of about equal reference mass; categories by falling frequency, so rare ones share the last. Missing has its own bin. */
function stability(binned: Binned): { value: number; bins: number } {
  const group = mergeBins(binned.reference, PSI_BINS);
  const used = new Set(group).size;
  const missing = binned.referenceMissing > 0 || binned.currentMissing > 0;
  const merged = [binned.reference, binned.current].map((counts, side) => {
    const sums = [...sumGroups(counts, group, PSI_BINS)].filter((_, i) => group.includes(i));
    return missing ? [...sums, side === 0 ? binned.referenceMissing : binned.currentMissing] : sums;
  });
  return { value: psi(merged[0] ?? [], merged[1] ?? []) ?? 0, bins: used + (missing ? 1 : 0) };
}

/** Mean + 3σ of the baseline's parts, at least 3σ of a sample of this size, and at least one percentage point. */
function missingLimit(baseline: FeatureBaseline, rows: number): number {
  const { share, std } = baseline.missing;
  const p = Math.max(share, 1 / Math.max(1, baseline.rows));
  return share + Math.max(3 * std, 3 * Math.sqrt((p * (1 - p)) / rows), MINIMUM_SHARE);
}

/** Strangers to expect by Good-Turing (the share of categories seen once), plus the rare rest, plus 3σ, at least one percentage point more. */
function unseenLimit(baseline: CategoricalBaseline, rows: number): number {
  const expected = Math.min(1, (baseline.singletons + baseline.other) / Math.max(1, baseline.rows));
  const p = Math.max(expected, 1 / Math.max(1, baseline.rows));
  return expected + Math.max(3 * Math.sqrt((p * (1 - p)) / Math.max(1, rows)), MINIMUM_SHARE);
}
