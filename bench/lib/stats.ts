/** The q-quantile (0 … 1) by linear interpolation; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}
export const median = (values: readonly number[]): number => quantile(values, 0.5);
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export interface Summary {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}
export const summarise = (values: readonly number[]): Summary => ({
  count: values.length,
  p50: quantile(values, 0.5),
  p95: quantile(values, 0.95),
  p99: quantile(values, 0.99),
  max: quantile(values, 1),
});

/**
 * The slope of a least-squares line through the points' second half, a unit of x: what a leak would show when the start's own growth is over.
 */
export function lateSlope(points: readonly { x: number; y: number }[]): number {
  const late = points.slice(Math.floor(points.length / 2));
  const mx = sum(late.map((p) => p.x)) / late.length;
  const my = sum(late.map((p) => p.y)) / late.length;
  const over = sum(late.map((p) => (p.x - mx) ** 2));
  return over === 0 ? 0 : sum(late.map((p) => (p.x - mx) * (p.y - my))) / over;
}

/** 1234567 → "1,234,567"; small numbers with as many digits as mean something. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2);
}
export const ratio = (value: number): string => (Number.isFinite(value) ? `${figure(value)}×` : '–');
export const MIB = 2 ** 20;
