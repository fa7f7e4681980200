/** Distances between two distributions on shared bins. Counts go in, one number comes out; empty sides give null, never NaN. */

type Counts = ArrayLike<number>;
const total = (counts: Counts): number =>
  Array.prototype.reduce.call(counts, (sum: unknown, count: unknown) => (sum as number) + (count as number), 0) as number;

/** Jensen-Shannon *distance*, base 2: the square root of the divergence, from 0 to 1 (scipy.spatial.distance.jensenshannon with base=2). */
export function jsDistance(reference: Counts, current: Counts): number | null {
  const [m, n] = [total(reference), total(current)];
  if (m === 0 || n === 0) return null;
  return Math.sqrt(jsDivergence(reference, current, m, n));
}

function jsDivergence(reference: Counts, current: Counts, m: number, n: number): number {
  let sum = 0;
  for (let i = 0; i < reference.length; i++) {
    const p = (reference[i] as number) / m;
    const q = (current[i] as number) / n;
    const middle = (p + q) / 2;
    if (p > 0) sum += p * Math.log2(p / middle);
    if (q > 0) sum += q * Math.log2(q / middle);
  }
  return Math.max(0, sum / 2);
}

/** Kolmogorov-Smirnov's statistic at the bin edges: the largest gap between the two cumulative shares. */
export function ksStatistic(reference: Counts, current: Counts): number | null {
  const [m, n] = [total(reference), total(current)];
  if (m === 0 || n === 0) return null;
  let [f, g, largest] = [0, 0, 0];
  for (let i = 0; i < reference.length; i++) {
    f += (reference[i] as number) / m;
    g += (current[i] as number) / n;
    largest = Math.max(largest, Math.abs(f - g));
  }
  return largest;
}

/**
 * Wasserstein-1 with every bin's rows at that bin's own mean on each side (scipy.stats.wasserstein_distance of those weighted points).
 * Means are ignored where the count is 0.
 */
export function wasserstein1(
  reference: Counts,
  referenceMeans: ArrayLike<number | null>,
  current: Counts,
  currentMeans: ArrayLike<number | null>,
): number | null {
  const [m, n] = [total(reference), total(current)];
  if (m === 0 || n === 0) return null;
  const points: [x: number, gap: number][] = [];
  for (let i = 0; i < reference.length; i++) {
    if ((reference[i] as number) > 0) points.push([referenceMeans[i] as number, (reference[i] as number) / m]);
    if ((current[i] as number) > 0) points.push([currentMeans[i] as number, -(current[i] as number) / n]);
  }
  points.sort(([a], [b]) => a - b);
  let [gap, area] = [0, 0];
  for (let i = 0; i + 1 < points.length; i++) {
    const [x, step] = points[i] as [number, number];
    gap += step;
    area += Math.abs(gap) * ((points[i + 1] as [number, number])[0] - x);
  }
  return area;
}

/** W1 in units of the reference's standard deviation, which counts as at least 0.001, so that a constant column gives no infinity. */
export const normedWasserstein = (w1: number | null, referenceStd: number): number | null => (w1 === null ? null : w1 / Math.max(referenceStd, 0.001));

const PSI_FLOOR = 0.0001;
/** Population stability index, natural logarithm; shares of zero count as 0.0001. */
export function psi(reference: Counts, current: Counts): number | null {
  const [m, n] = [total(reference), total(current)];
  if (m === 0 || n === 0) return null;
  let sum = 0;
  for (let i = 0; i < reference.length; i++) {
    const r = (reference[i] as number) / m || PSI_FLOOR;
    const c = (current[i] as number) / n || PSI_FLOOR;
    sum += (r - c) * Math.log(r / c);
  }
  return sum;
}

/** Neighbouring bins merged into at most `groups` of about equal reference mass; returns the group of each bin. */
export function mergeBins(reference: Counts, groups: number): Uint16Array {
  const all = total(reference);
  const group = new Uint16Array(reference.length);
  let before = 0;
  for (let i = 0; i < reference.length; i++) {
    const count = reference[i] as number;
    group[i] = all === 0 ? 0 : Math.min(groups - 1, Math.floor(((before + count / 2) * groups) / all));
    before += count;
  }
  return group;
}

export function sumGroups(counts: Counts, group: Uint16Array, groups: number): Float64Array {
  const sums = new Float64Array(groups);
  for (let i = 0; i < counts.length; i++) sums[group[i] as number] = (sums[group[i] as number] as number) + (counts[i] as number);
  return sums;
}
