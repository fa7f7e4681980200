import type { BatchInputRequest, RowRange } from '../../batch/batch-input.port.ts';
import type { TableColumn, TableFile } from '../../tables/index.ts';
import { quoteIdentifier, quotePath } from './instance.ts';
import { INPUT_TABLE } from './sql-guard.ts';

/** The number of a row over all files, in the rows that a user's SQL sees. */
export const ROW = '__binnacle_row';
export const KEY = '__binnacle_key';

export interface NumberedFile extends TableFile {
  /** Number of its first row. */
  start: number;
  rows: number;
}

export interface RangeRows {
  sql: string;
  /** One scan, which hands its rows on in their order when one thread runs it. */
  oneScan: boolean;
}

/**
 * SQL for the rows of a range, each with its number. Whole files inside the range are read by one scan; a part of a file is cut out
 * by its row numbers, which lets the engine skip row groups.
 */
export function rowsOf(files: readonly NumberedFile[], range: RowRange): RangeRows {
  const touched = files.filter(({ start, rows }) => rows > 0 && start < range.to && start + rows > range.from);
  const groups: NumberedFile[][] = [];
  for (const file of touched) {
    const last = groups.at(-1);
    if (last !== undefined && isWhole(file, range) && isWhole(last[0], range)) last.push(file);
    else groups.push([file]);
  }
  if (groups.length === 0) return { sql: `SELECT *, 0::BIGINT AS ${ROW} FROM read_parquet(${quotePath(files[0]?.path ?? '')}) LIMIT 0`, oneScan: true };
  return { sql: groups.map((group) => groupSql(group, range)).join(' UNION ALL BY NAME '), oneScan: groups.length === 1 };
}

const isWhole = (file: NumberedFile | undefined, { from, to }: RowRange): boolean => file !== undefined && file.start >= from && file.start + file.rows <= to;

function groupSql(group: NumberedFile[], range: RowRange): string {
  const [first] = group as [NumberedFile];
  if (group.length > 1) {
    const starts = `[${group.map(({ start }) => start).join(', ')}]`;
    return `SELECT * EXCLUDE (file_row_number), CAST(file_row_number + ${starts}[CAST(file_index AS BIGINT) + 1] AS BIGINT) AS ${ROW} FROM read_parquet([${group.map(({ path }) => quotePath(path)).join(', ')}], file_row_number = true)`;
  }
  const low = Math.max(0, range.from - first.start);
  const high = Math.min(first.rows, range.to - first.start);
  const bounds = [...(low > 0 ? [`file_row_number >= ${low}`] : []), ...(high < first.rows ? [`file_row_number < ${high}`] : [])];
  return `SELECT * EXCLUDE (file_row_number), CAST(file_row_number + ${first.start} AS BIGINT) AS ${ROW} FROM read_parquet(${quotePath(first.path)}, file_row_number = true)${bounds.length > 0 ? ` WHERE ${bounds.join(' AND ')}` : ''}`;
}

/** A query over the features of rows: `select` and `where` as the user wrote them, then what is picked of them. */
export function featuresQuery(rows: string, { select, where }: Pick<BatchInputRequest, 'select' | 'where'>, picked: string, extra = ''): string {
  const condition = where === undefined ? '' : ` WHERE (${where}\n)`;
  return `WITH ${INPUT_TABLE} AS (${rows}), features AS (SELECT ${select ?? '*'}\n, ${ROW} AS ${KEY}${extra} FROM ${INPUT_TABLE}${condition}) SELECT ${picked} FROM features`;
}

/** Input columns without the row number. */
export const own = (columns: TableColumn[]): TableColumn[] => columns.filter(({ name }) => !name.startsWith('__binnacle_'));

export const columnList = (names: readonly string[], table: string): string => names.map((name) => `${table}.${quoteIdentifier(name)}`).join(', ');
