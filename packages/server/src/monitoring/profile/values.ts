import type { Column } from '../../tables/index.ts';

export type ColumnValues = Column['values'];
export type ColumnValue = string | number | boolean | bigint | null | undefined;

/** Longer category names are cut, so that free text cannot fill the store. */
const MAX_KEY = 120;

/**
 * The name under which a value is counted as a category. One value has one name however it came: booleans are 1 and 0 (ONNX has them as
 * bytes), whole numbers have no point, and fractions are read as the float32 that a model sees.
 */
export function categoryKey(value: string | number | boolean | bigint): string {
  if (typeof value === 'string') return value.length > MAX_KEY ? `${value.slice(0, MAX_KEY - 1)}…` : value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number' && !Number.isInteger(value) && Number.isFinite(value)) return String(Number(Math.fround(value).toPrecision(7)));
  return String(value === 0 ? 0 : value);
}

/** The number that a value stands for; NaN when it is none. */
export function toNumber(value: ColumnValue): number {
  if (typeof value === 'number') return value;
  if (value === null || value === undefined) return Number.NaN;
  if (typeof value === 'string') return value.trim() === '' ? Number.NaN : Number(value);
  return Number(value);
}

/** Nothing there: null, or the NaN that stands for it in a column of numbers. */
export const isMissing = (value: ColumnValue): value is null | undefined =>
  value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value));

/** Whether a column that no baseline describes holds numbers: by its array's type, else by its first value. */
export function looksNumeric(values: ColumnValues): boolean {
  if (ArrayBuffer.isView(values)) return true;
  const first = (values as ColumnValue[]).find((value) => value !== null && value !== undefined);
  return typeof first === 'number' || typeof first === 'bigint' || typeof first === 'boolean';
}
