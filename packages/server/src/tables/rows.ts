import { stat } from 'node:fs/promises';
import type { TableEngine } from './table-engine.port.ts';
import type { TableColumn, TableFormat } from './types.ts';

/** Rows of a table to look at. */
export interface TableRows {
  columns: TableColumn[];
  /** Columns beyond those that are shown. */
  columnsLeftOut: number;
  /** Text, cut with an ellipsis where it is long; null where there is none. */
  rows: (string | null)[][];
  offset: number;
  /** Whether rows follow. */
  more: boolean;
  /** Of the file, where they need not be counted; null otherwise. */
  total: number | null;
}

const MOST_COLUMNS = 200;
const LONGEST_VALUE = 1000;
/** Who comes later waits: a server is not kept from its work by people who page through tables. */
const AT_ONCE = 2;

/** Reads rows of one file. Throws `invalid` (table_unreadable) when it is not what its format says. */
export function rowReader(engine: TableEngine): (path: string, format: TableFormat, page: { offset: number; limit: number }) => Promise<TableRows> {
  const waiting: (() => void)[] = [];
  let running = 0;
  const read = async (path: string, format: TableFormat, { offset, limit }: { offset: number; limit: number }): Promise<TableRows> => {
    const { size, mtimeMs } = await stat(path);
    const source = await engine.open({ format, files: [{ path, bytes: size, modifiedAt: Math.floor(mtimeMs) }] });
    try {
      const columns = source.columns.slice(0, MOST_COLUMNS);
      // One value longer, and one row more, tell whether something is left out.
      const found = await source.page({ columns: columns.map(({ name }) => name), offset, limit: limit + 1, maxLength: LONGEST_VALUE + 1 });
      return {
        columns,
        columnsLeftOut: source.columns.length - columns.length,
        rows: found.slice(0, limit).map((row) => row.map(cut)),
        offset,
        more: found.length > limit,
        total: format === 'parquet' ? await source.countRows() : null,
      };
    } finally {
      await source.close();
    }
  };
  return async (path, format, page) => {
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await read(path, format, page);
    } finally {
      // The place is handed on, or given back.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}

const cut = (value: string | null): string | null =>
  value !== null && value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE).replace(/[\uD800-\uDBFF]$/, '')}…` : value;
