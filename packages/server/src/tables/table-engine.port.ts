import type { Table, TableColumn, TableFormat, TableLocation } from './types.ts';

export interface StreamOptions {
  /** All when absent. Throws `invalid` (missing_column) for one that is not there. */
  columns?: string[];
  /** Rows a table; about 64 thousand when absent. */
  batchRows?: number;
  /** Stop after this many rows. */
  limit?: number;
}

export interface PageOptions {
  columns: string[];
  /** Rows before the page. */
  offset: number;
  limit: number;
  /** Characters of a value; of a longer one this many and no more are given. */
  maxLength: number;
}

/** A table that can be read. Close it. */
export interface TableSource extends TableLocation {
  readonly columns: TableColumn[];
  /** Of all files; from the footers for Parquet, by a scan otherwise. */
  countRows(): Promise<number>;
  /**
   * The rows in order, flat in memory. Numbers, booleans (0/1) and times (milliseconds since the epoch) come as Float64Array with NaN
   * where missing, everything else as strings with null where missing.
   */
  stream(options?: StreamOptions): AsyncIterable<Table>;
  /** Some rows in order, as text to look at (of CSV as it is written in the file), null where missing. */
  page(options: PageOptions): Promise<(string | null)[][]>;
  close(): Promise<void>;
}

/** Reads and writes tables in files. DuckDB implements it. */
export interface TableEngine {
  /** Throws `invalid` (table_unreadable) when a file is not what its format says. */
  open(location: TableLocation): Promise<TableSource>;
  /** Writes aside, syncs, then renames. All tables have the same columns. Throws `exhausted` when the disk is full. */
  write(path: string, format: TableFormat, tables: AsyncIterable<Table> | Iterable<Table>): Promise<{ rows: number; bytes: number }>;
}
