import type { MovableColumn, MovableDatabase, MovableRow, MovableTable, MovableValue, StorageLimits } from './movable-database.port.ts';

/** Of one page: bounds memory whatever the rows hold. */
const PAGE = { rows: 500, bytes: 4 * 1024 * 1024 };

/** A table's rows by primary key, in pages. */
export async function* pagesOf(database: MovableDatabase, table: MovableTable, from: MovableRow | null = null): AsyncGenerator<MovableRow[]> {
  for (let after = from; ; ) {
    const page = await database.rows(table, after, PAGE);
    if (page.length === 0) return;
    yield page;
    after = page.at(-1) as MovableRow;
  }
}

/**
 * A row as bytes that are the same for the same values on every engine: of each column a kind and the value, with its length where that varies.
 * Doubles bit by bit, but for −0, which SQLite and a comparison in SQL take for 0.
 */
export function canonicalRow(table: MovableTable, row: MovableRow): Buffer {
  const parts: Buffer[] = [];
  for (const [i, column] of table.columns.entries()) parts.push(...canonicalValue(column, row[i] ?? null));
  return Buffer.concat(parts);
}

function canonicalValue({ kind }: MovableColumn, value: MovableValue): Buffer[] {
  if (value === null) return [Buffer.from('-')];
  if (typeof value === 'number' && kind === 'double') {
    const bits = Buffer.alloc(9, 'd');
    bits.writeDoubleLE(value + 0, 1);
    return [bits];
  }
  const bytes = typeof value === 'object' ? Buffer.from(value.buffer, value.byteOffset, value.length) : Buffer.from(String(value));
  // A value of another kind than its column's (SQLite takes them) has a mark of its own.
  const mark = typeof value === 'object' ? 'b' : typeof value === 'number' ? 'n' : kind === 'text' ? 't' : 'i';
  return [Buffer.from(`${mark}${bytes.length}:`), bytes];
}

/** Compares primary keys as every database orders them. */
export function compareKeys(table: MovableTable, a: MovableRow, b: MovableRow): number {
  for (const at of table.key) {
    const order = compareValues(table.columns[at] as MovableColumn, a[at] ?? null, b[at] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues({ kind }: MovableColumn, a: MovableValue, b: MovableValue): number {
  if ((kind === 'integer' || kind === 'bigint') && typeof a === 'string' && typeof b === 'string')
    return Number(BigInt(a) > BigInt(b)) - Number(BigInt(a) < BigInt(b));
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

/** A primary key for a person: `run_id=abc, seq=3`. */
export const keyText = (table: MovableTable, row: MovableRow): string =>
  table.key
    .map((at) => `${table.columns[at]?.name}=${typeof row[at] === 'string' && table.columns[at]?.kind === 'text' ? JSON.stringify(row[at]) : String(row[at])}`)
    .join(', ');

/** What of a row the other database cannot hold: a sentence, or undefined. */
export function misfit(table: MovableTable, row: MovableRow, limits: StorageLimits): string | undefined {
  for (const [i, column] of table.columns.entries()) {
    const problem = misfitValue(column, row[i] ?? null, limits);
    if (problem !== undefined) return `${table.name}.${column.name} of ${keyText(table, row)} ${problem}`;
  }
  return undefined;
}

function misfitValue({ kind, maxLength }: MovableColumn, value: MovableValue, limits: StorageLimits): string | undefined {
  if (value === null) return undefined;
  if (kind === 'text') {
    if (typeof value !== 'string') return 'is not a text';
    if (!limits.nulInText && value.includes('\0')) return 'has the character U+0000';
    // A text has at least as many UTF-16 units as characters.
    if (limits.lengths && maxLength !== null && value.length > maxLength) {
      const length = [...value].length;
      if (length > maxLength) return `has ${length} characters and the column holds ${maxLength}`;
    }
    return undefined;
  }
  if (kind === 'bytes') return typeof value === 'object' ? undefined : 'is not bytes';
  if (kind === 'double') {
    if (typeof value !== 'number') return 'is not a number';
    return limits.nonFinite || Number.isFinite(value) ? undefined : `is ${value}`;
  }
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) return 'is not a whole number';
  const most = kind === 'integer' ? limits.maxInteger : limits.maxBigint;
  const number = BigInt(value);
  return number > most || number < -most - 1n ? `is ${value} and the column ends at ${most}` : undefined;
}
