import { isObject } from '../kernel/index.ts';

/** The largest difference between two outputs, and where it is; `difference` is Infinity where they cannot be compared (other kind, length or text). */
export interface Difference {
  difference: number;
  path: string;
  expected: unknown;
  actual: unknown;
}

/** Compares JSON values deeply: numbers by absolute difference, NaN with NaN, the rest exactly. 64-bit integers may come as bigint. */
export function largestDifference(expected: unknown, actual: unknown, path = ''): Difference {
  const here = (difference: number): Difference => ({ difference, path, expected, actual });
  const [e, a] = [number(expected), number(actual)];
  if (e !== undefined && a !== undefined)
    return here(Object.is(e, a) || e === a ? 0 : Number.isNaN(Math.abs(e - a)) ? Number.POSITIVE_INFINITY : Math.abs(e - a));
  // One value a row may be written bare or as a list of one.
  if (Array.isArray(actual) && actual.length === 1 && !Array.isArray(expected)) return largestDifference(expected, actual[0], path);
  if (Array.isArray(expected) && expected.length === 1 && !Array.isArray(actual)) return largestDifference(expected[0], actual, path);
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length) return here(Number.POSITIVE_INFINITY);
    return worst(
      expected.map((item, i) => largestDifference(item, actual[i], `${path}[${i}]`)),
      here(0),
    );
  }
  if (isObject(expected) && isObject(actual))
    return worst(
      Object.keys(expected).map((key) => largestDifference(expected[key], actual[key], path === '' ? key : `${path}.${key}`)),
      here(0),
    );
  return here(expected === actual ? 0 : Number.POSITIVE_INFINITY);
}

const worst = (all: Difference[], none: Difference): Difference => all.reduce((most, one) => (one.difference > most.difference ? one : most), none);

function number(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  return undefined;
}
