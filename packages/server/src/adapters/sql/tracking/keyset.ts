import { type RawBuilder, sql } from 'kysely';
import { invalid } from '../../../kernel/index.ts';

/** One column of a sort; never null, so that a page can start after any of its values. */
export interface SortColumn {
  expression: RawBuilder<unknown>;
  ascending: boolean;
  /** The same for every row of the query: it sorts between queries, not within one. */
  constant?: number | string;
}

export const orderSql = (columns: SortColumn[]): RawBuilder<unknown> =>
  sql.join(columns.filter((c) => c.constant === undefined).map((c) => (c.ascending ? sql`${c.expression} asc` : sql`${c.expression} desc`)));

export const selectSql = (columns: SortColumn[]): RawBuilder<unknown> =>
  sql.join(columns.map((c, i) => sql`${c.constant === undefined ? c.expression : sql.lit(c.constant)} as ${sql.ref(`s${i}`)}`));

/** The sort key of a row that `selectSql` selected. */
export const keyOf = (row: Record<string, unknown>, columns: SortColumn[]): unknown[] => columns.map((_, i) => row[`s${i}`]);

/**
 * The rows after a key: (a > x) or (a = x and ((b < y) or …)), with the first comparison said once more by itself so that an index on the
 * first column is entered at the right place. `none` means that no row of this query comes after.
 */
export function afterSql(columns: SortColumn[], after: unknown[]): RawBuilder<boolean> | 'none' | undefined {
  if (after.length !== columns.length || after.some((v) => typeof v !== 'string' && typeof v !== 'number'))
    throw invalid('invalid_page_token', 'Invalid page token: it belongs to another search. Start again without one.');
  let start = 0;
  for (const column of columns) {
    if (column.constant === undefined) break;
    const value = after[start] as number | string;
    if (column.constant < value) return 'none';
    if (column.constant > value) return undefined;
    start++;
  }
  const rest = columns.slice(start);
  const values = after.slice(start);
  const first = rest[0];
  if (first === undefined) return 'none';
  const chain = (i: number): RawBuilder<boolean> => {
    const column = rest[i] as SortColumn;
    const value = values[i];
    const beyond = column.ascending ? sql<boolean>`${column.expression} > ${value}` : sql<boolean>`${column.expression} < ${value}`;
    return i === rest.length - 1 ? beyond : sql<boolean>`(${beyond} or (${column.expression} = ${value} and ${chain(i + 1)}))`;
  };
  const bound = first.ascending ? sql<boolean>`${first.expression} >= ${values[0]}` : sql<boolean>`${first.expression} <= ${values[0]}`;
  return sql<boolean>`(${bound} and ${chain(0)})`;
}

/** Compares sort keys as the database does: numbers by value, texts by their UTF-8 bytes. */
export function compareKeys(a: unknown[], b: unknown[], columns: SortColumn[]): number {
  for (const [i, column] of columns.entries()) {
    const x = a[i];
    const y = b[i];
    const order = typeof x === 'number' && typeof y === 'number' ? x - y : x === y ? 0 : Buffer.compare(Buffer.from(String(x)), Buffer.from(String(y)));
    if (order !== 0) return column.ascending || column.constant !== undefined ? order : -order;
  }
  return 0;
}
