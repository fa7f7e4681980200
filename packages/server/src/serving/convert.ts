import { type BinnacleError, invalid, shown } from '../kernel/index.ts';
import { floatToHalf } from './float16.ts';
import type { Datatype, TensorData } from './tensor.ts';
import type { Column } from '../tables/index.ts';

/** Where a column's values go: `target[offset + row * stride]`. */
export interface Slot {
  target: TensorData;
  offset: number;
  stride: number;
  datatype: Datatype;
}

/** How a column's values are read: by its MLflow type (long, double, string …) or, without a signature, by the tensor's datatype. */
export interface ColumnRule {
  name: string;
  type: string;
  /** Strings stand for numbers and truth values, as in a CSV file. */
  text: boolean;
}

type Value = string | number | boolean | bigint | null | undefined;
type Kind = 'float' | 'integer' | 'boolean' | 'string';

const KINDS: Record<string, Kind> = {
  double: 'float',
  float: 'float',
  FP64: 'float',
  FP32: 'float',
  FP16: 'float',
  integer: 'integer',
  long: 'integer',
  INT8: 'integer',
  INT16: 'integer',
  INT32: 'integer',
  INT64: 'integer',
  UINT8: 'integer',
  UINT16: 'integer',
  UINT32: 'integer',
  UINT64: 'integer',
  boolean: 'boolean',
  BOOL: 'boolean',
  string: 'string',
  BYTES: 'string',
};
export const kindOf = (type: string): Kind | undefined => KINDS[type];

const BOUNDS: Record<string, readonly [bigint, bigint]> = {
  INT8: [-128n, 127n],
  INT16: [-32768n, 32767n],
  INT32: [-2147483648n, 2147483647n],
  integer: [-2147483648n, 2147483647n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT8: [0n, 255n],
  UINT16: [0n, 65535n],
  UINT32: [0n, 4294967295n],
  UINT64: [0n, 2n ** 64n - 1n],
};
/** The same as numbers: compared first, because BigInt is slow. Beyond 2^53 a number is not exact anyway. */
const SAFE = Object.fromEntries(
  Object.entries(BOUNDS).map(([type, [low, high]]) => [
    type,
    [Math.max(Number(low), Number.MIN_SAFE_INTEGER), Math.min(Number(high), Number.MAX_SAFE_INTEGER)],
  ]),
) as Record<string, [number, number]>;

const EMPTY_TEXT = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', 'None']);

function complain(rule: ColumnRule, row: number, text: string): BinnacleError {
  return invalid('invalid_value', `row ${row} of column '${rule.name}': ${text}`, { details: { row, column: rule.name } });
}

/** Copies a column into a tensor, checking every value against the column's type first and the tensor's datatype second. */
export function fill(rule: ColumnRule, values: Column['values'], rows: number, slot: Slot): void {
  const kind = KINDS[rule.type];
  if (kind === undefined)
    throw invalid('unsupported_type', `column '${rule.name}' has the type '${rule.type}', which cannot feed an ONNX input of type ${slot.datatype}`);
  if (values.length !== rows) throw invalid('wrong_length', `column '${rule.name}' has ${values.length} values, but the table has ${rows} rows`);
  if (slot.datatype === 'BYTES') fillStrings(rule, kind, values, rows, slot);
  else if (slot.datatype === 'FP32' || slot.datatype === 'FP64' || slot.datatype === 'FP16') fillFloats(rule, kind, values, rows, slot);
  else fillIntegers(rule, kind, values, rows, slot);
}

function fillStrings(rule: ColumnRule, kind: Kind, values: Column['values'], rows: number, slot: Slot): void {
  const target = slot.target as string[];
  for (let row = 0; row < rows; row++) {
    const value = values[row] as Value;
    if (typeof value === 'string') target[slot.offset + row * slot.stride] = value;
    else if (value === null || value === undefined)
      throw complain(rule, row, 'is missing (null), and a string cannot be; send an empty string if that is meant');
    else if (kind === 'string') throw complain(rule, row, `expected a string, got ${shown(value)}`);
    // A numeric column of the signature that the graph takes as text.
    else target[slot.offset + row * slot.stride] = String(value);
  }
}

function fillFloats(rule: ColumnRule, kind: Kind, values: Column['values'], rows: number, slot: Slot): void {
  const target = slot.target as Float32Array | Float64Array | Uint16Array;
  const half = slot.datatype === 'FP16';
  for (let row = 0; row < rows; row++) {
    const value = values[row] as Value;
    // The usual case first.
    let number = typeof value === 'number' && kind === 'float' ? value : floatOf(rule, kind, value, row);
    if (half) number = floatToHalf(number);
    target[slot.offset + row * slot.stride] = number;
  }
}

function floatOf(rule: ColumnRule, kind: Kind, value: Value, row: number): number {
  if (kind === 'integer') return Number(integerOf(rule, rule.type, value, row));
  if (kind === 'boolean') return booleanOf(rule, value, row);
  if (kind === 'string') throw complain(rule, row, 'is text by the signature, but the model takes a number there');
  if (value === null || value === undefined) return Number.NaN;
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (rule.text && typeof value === 'string') {
    const trimmed = value.trim();
    if (EMPTY_TEXT.has(trimmed)) return Number.NaN;
    const infinite = /^([+-]?)inf(inity)?$/i.exec(trimmed);
    if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
    const number = Number(trimmed);
    if (!Number.isNaN(number)) return number;
  }
  throw complain(rule, row, `expected a number (${rule.type}), got ${shown(value)}`);
}

function fillIntegers(rule: ColumnRule, kind: Kind, values: Column['values'], rows: number, slot: Slot): void {
  const target = slot.target as Int32Array;
  const big = slot.datatype === 'INT64' || slot.datatype === 'UINT64';
  for (let row = 0; row < rows; row++) {
    const value = values[row] as Value;
    const at = slot.offset + row * slot.stride;
    if (kind === 'boolean' || slot.datatype === 'BOOL') target[at] = (big ? BigInt(booleanOf(rule, value, row)) : booleanOf(rule, value, row)) as number;
    else {
      // The column's own bounds, then the tensor's: a long may feed an INT32 input as long as it fits.
      let integer = integerOf(rule, kind === 'integer' ? rule.type : slot.datatype, value, row);
      if (rule.type !== slot.datatype) integer = integerOf(rule, slot.datatype, integer, row);
      target[at] = (big ? (typeof integer === 'bigint' ? integer : BigInt(integer)) : Number(integer)) as number;
    }
  }
}

function integerOf(rule: ColumnRule, type: string, value: Value, row: number): number | bigint {
  const safe = SAFE[type] as [number, number];
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= safe[0] && value <= safe[1]) return value;
    if (Number.isNaN(value))
      throw complain(rule, row, `is missing (NaN), and an integer column (${rule.type}) cannot be; declare the column as double to allow missing values`);
    if (!Number.isInteger(value)) throw complain(rule, row, `expected a whole number (${rule.type}), got ${shown(value)}`);
    throw complain(
      rule,
      row,
      `${shown(value)} does not fit ${type}${Number.isSafeInteger(value) ? '' : ' exactly (send integers beyond 2^53 as a binary tensor)'}`,
    );
  }
  if (typeof value === 'bigint') {
    const [low, high] = BOUNDS[type] as readonly [bigint, bigint];
    if (value >= low && value <= high) return value;
    throw complain(rule, row, `${shown(value)} does not fit ${type}`);
  }
  if (typeof value === 'string' && rule.text) {
    const trimmed = value.trim();
    if (EMPTY_TEXT.has(trimmed))
      throw complain(rule, row, `is missing, and an integer column (${rule.type}) cannot be; declare the column as double to allow missing values`);
    if (/^[+-]?\d+$/.test(trimmed)) {
      const exact = BigInt(trimmed.replace(/^\+/, ''));
      return integerOf(rule, type, exact >= Number.MIN_SAFE_INTEGER && exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact, row);
    }
    const number = Number(trimmed);
    if (trimmed !== '' && !Number.isNaN(number)) return integerOf(rule, type, number, row);
  }
  if (value === null || value === undefined)
    throw complain(rule, row, `is missing (null), and an integer column (${rule.type}) cannot be; declare the column as double to allow missing values`);
  throw complain(rule, row, `expected a whole number (${rule.type}), got ${shown(value)}`);
}

function booleanOf(rule: ColumnRule, value: Value, row: number): number {
  if (value === true || value === 1 || value === 1n) return 1;
  if (value === false || value === 0 || value === 0n) return 0;
  if (typeof value === 'string' && rule.text) {
    const lower = value.trim().toLowerCase();
    if (lower === 'true' || lower === '1') return 1;
    if (lower === 'false' || lower === '0') return 0;
  }
  throw complain(rule, row, `expected true or false, got ${shown(value)}`);
}
