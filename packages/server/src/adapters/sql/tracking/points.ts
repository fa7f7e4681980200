import type { Points } from '../../../tracking/index.ts';

/** What is known of points without decoding them. `minValue` and `maxValue` ignore NaN and are null when there is nothing else. */
export interface PointSummary {
  points: number;
  minValue: number | null;
  maxValue: number | null;
  minStep: number;
  maxStep: number;
  minTimestamp: number;
  maxTimestamp: number;
}

/** Compares as MLflow ranks points: step, then timestamp, then value, where NaN counts as 0. */
export function comparePoints(a: Points, i: number, b: Points, j: number): number {
  return (
    (a.steps[i] as number) - (b.steps[j] as number) ||
    (a.timestamps[i] as number) - (b.timestamps[j] as number) ||
    rank(a.values[i] as number, b.values[j] as number)
  );
}
function rank(a: number, b: number): number {
  const x = Number.isNaN(a) ? 0 : a;
  const y = Number.isNaN(b) ? 0 : b;
  if (x !== y) return x < y ? -1 : 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** Sorts by (step, timestamp, value) and drops points that occur twice. Returns the input itself when it is in order already. */
export function sortUnique(points: Points): Points {
  const count = points.steps.length;
  let sorted = true;
  for (let i = 1; i < count && sorted; i++) if (comparePoints(points, i - 1, points, i) >= 0) sorted = false;
  if (sorted) return points;
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => comparePoints(points, a, points, b));
  const kept = order.filter((index, at) => at === 0 || comparePoints(points, order[at - 1] as number, points, index) !== 0);
  return pick(points, kept);
}

/** Of one point. */
export const pointOf = (step: number, timestamp: number, value: number): Points => ({
  steps: Float64Array.of(step),
  timestamps: Float64Array.of(timestamp),
  values: Float64Array.of(value),
});

export function pick(points: Points, indices: number[]): Points {
  const result: Points = { steps: new Float64Array(indices.length), timestamps: new Float64Array(indices.length), values: new Float64Array(indices.length) };
  indices.forEach((index, at) => {
    result.steps[at] = points.steps[index] as number;
    result.timestamps[at] = points.timestamps[index] as number;
    result.values[at] = points.values[index] as number;
  });
  return result;
}

export const slice = ({ steps, timestamps, values }: Points, from: number, to: number): Points => ({
  steps: steps.subarray(from, to),
  timestamps: timestamps.subarray(from, to),
  values: values.subarray(from, to),
});

export function concat(parts: Points[]): Points {
  if (parts.length === 1) return parts[0] as Points;
  const count = parts.reduce((sum, part) => sum + part.steps.length, 0);
  const result: Points = { steps: new Float64Array(count), timestamps: new Float64Array(count), values: new Float64Array(count) };
  let at = 0;
  for (const part of parts) {
    result.steps.set(part.steps, at);
    result.timestamps.set(part.timestamps, at);
    result.values.set(part.values, at);
    at += part.steps.length;
  }
  return result;
}

/** The points of `fresh` that none of `known` holds. Both sorted. */
export function without(fresh: Points, known: Points): Points {
  const kept: number[] = [];
  let j = 0;
  for (let i = 0; i < fresh.steps.length; i++) {
    while (j < known.steps.length && comparePoints(known, j, fresh, i) < 0) j++;
    if (j >= known.steps.length || comparePoints(known, j, fresh, i) !== 0) kept.push(i);
  }
  return kept.length === fresh.steps.length ? fresh : pick(fresh, kept);
}

/** Those of the points whose step is not beyond. */
export function upToStep(points: Points, until: number): Points {
  if (!Number.isFinite(until)) return points;
  const kept: number[] = [];
  for (let i = 0; i < points.steps.length; i++) if ((points.steps[i] as number) <= until) kept.push(i);
  return kept.length === points.steps.length ? points : pick(points, kept);
}

/** Of at least one point. */
export function summarize({ steps, timestamps, values }: Points): PointSummary {
  let minValue = Number.POSITIVE_INFINITY;
  let maxValue = Number.NEGATIVE_INFINITY;
  let minStep = Number.POSITIVE_INFINITY;
  let maxStep = Number.NEGATIVE_INFINITY;
  let minTimestamp = Number.POSITIVE_INFINITY;
  let maxTimestamp = Number.NEGATIVE_INFINITY;
  let numbers = 0;
  for (let i = 0; i < steps.length; i++) {
    const value = values[i] as number;
    if (!Number.isNaN(value)) {
      numbers++;
      if (value < minValue) minValue = value;
      if (value > maxValue) maxValue = value;
    }
    const step = steps[i] as number;
    if (step < minStep) minStep = step;
    if (step > maxStep) maxStep = step;
    const timestamp = timestamps[i] as number;
    if (timestamp < minTimestamp) minTimestamp = timestamp;
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
  }
  return {
    points: steps.length,
    minValue: numbers === 0 ? null : clamp(minValue),
    maxValue: numbers === 0 ? null : clamp(maxValue),
    minStep,
    maxStep,
    minTimestamp,
    maxTimestamp,
  };
}

export const merge = (a: PointSummary, b: PointSummary): PointSummary => ({
  points: a.points + b.points,
  minValue: a.minValue === null ? b.minValue : b.minValue === null ? a.minValue : Math.min(a.minValue, b.minValue),
  maxValue: a.maxValue === null ? b.maxValue : b.maxValue === null ? a.maxValue : Math.max(a.maxValue, b.maxValue),
  minStep: Math.min(a.minStep, b.minStep),
  maxStep: Math.max(a.maxStep, b.maxStep),
  minTimestamp: Math.min(a.minTimestamp, b.minTimestamp),
  maxTimestamp: Math.max(a.maxTimestamp, b.maxTimestamp),
});

/** Whether a point could be in both by step and time. */
export const overlaps = (a: PointSummary, b: PointSummary): boolean =>
  a.minStep <= b.maxStep && b.minStep <= a.maxStep && a.minTimestamp <= b.maxTimestamp && b.minTimestamp <= a.maxTimestamp;

/** An infinity as the largest double, since not every database keeps one. */
export const clamp = (value: number): number =>
  value === Number.POSITIVE_INFINITY ? Number.MAX_VALUE : value === Number.NEGATIVE_INFINITY ? -Number.MAX_VALUE : value;
/** Undoes `clamp` and null for NaN. */
export const restore = (value: number | null, infinite: number): number =>
  value === null ? Number.NaN : infinite === 1 ? (value > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY) : value;
