import type { TableColumn, TableFormat, TableLocation } from '../tables/index.ts';

/** Rows [from, to) of the input, counted over all its files from 0. */
export interface RowRange {
  from: number;
  to: number;
}

/** Arrays that the engine fills without a JavaScript value a row. */
export type FeatureArray = 'BOOL' | 'FP32' | 'FP64' | 'INT8' | 'INT16' | 'INT32' | 'INT64' | 'UINT8' | 'UINT16' | 'UINT32' | 'UINT64' | 'BYTES';

/** The values of a column, one a row; booleans are 0 and 1 in a Uint8Array. */
export type ColumnValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];

/** A column that the model needs. */
export interface FeatureColumn {
  name: string;
  array: FeatureArray;
  /** Whole numbers only: 2.5 makes the row a bad one. */
  whole: boolean;
  /** A missing value is NaN; otherwise it makes the row a bad one. */
  nullable: boolean;
}

/** What a chunk feeds to the model: the rows that `where` lets through, bad ones included. */
export interface FeatureRows {
  /** The rows' numbers in the input, ascending. */
  index: BigInt64Array;
  /** One a feature, as long as `index`. Strings of bad rows may be null. */
  columns: {
    name: string;
    values: ColumnValues;
  }[];
  /** Positions (not row numbers) of rows that cannot be fed to the model, ascending. */
  bad: { at: number; message: string }[];
  /** Milliseconds since the epoch, NaN where missing; only when a timestamp column was asked for. */
  eventTime?: Float64Array;
}

/** Columns that a chunk adds to its rows. */
export interface OutputColumn {
  name: string;
  type: 'FLOAT' | 'DOUBLE' | 'TINYINT' | 'SMALLINT' | 'INTEGER' | 'BIGINT' | 'UTINYINT' | 'USMALLINT' | 'UINTEGER' | 'UBIGINT' | 'BOOLEAN' | 'VARCHAR';
  values: ColumnValues;
}

/** A part to write: rows of the input with the model's outputs beside them. */
export interface WriteRequest {
  range: RowRange;
  /** Input columns to copy, in this order. */
  passthrough: string[];
  /** The rows to write, ascending; the outputs are as long. */
  index: BigInt64Array;
  outputs: OutputColumn[];
  /** Adds a column of `${prefix}${row number}` for the rows at these positions, null for the others. */
  id?: { name: string; prefix: string; at: readonly number[] };
  /** Written in full and synced before the call returns. It must not exist. */
  file: string;
  format: TableFormat;
}

/** A line of a text file that is no row at all. */
export interface RejectedLine {
  file: string;
  line: number;
  message: string;
  text: string;
}

export interface RejectedLines {
  /** All of them. */
  count: number;
  /** The first that were met, up to some limit of the engine's. */
  lines: RejectedLine[];
}

/** An input whose rows can be reached by number, in any order and by several chunks at once. */
export interface BatchInput {
  readonly columns: TableColumn[];
  /** What `select` makes of them; the same without it. */
  readonly features: TableColumn[];
  readonly rows: number;
  /** Rows that `where` lets through; `rows` without it. */
  readonly selected: number;
  readonly rejected: RejectedLines;
  /** The file that a row came from, and its number in it, from 0. */
  locate(row: number): { file: string; row: number };
  /** The features of some rows; `timestamp` names the column of the event time. Throws `invalid` (sql_failed …) for what the engine cannot compute. */
  read(range: RowRange, features: FeatureColumn[], timestamp?: string): Promise<FeatureRows>;
  /** Throws `exhausted` (disk_full) when there is no room; the file is then removed. */
  write(request: WriteRequest): Promise<{ rows: number; bytes: number }>;
  /** All parts in order as one file, flat in memory. The same guarantees as `write`. */
  merge(parts: string[], file: string, format: TableFormat): Promise<{ bytes: number }>;
  close(): Promise<void>;
}

/** An input and what is made of it. `where` is a SQL condition, `select` a SQL select list, both on one row of the input. */
export interface BatchInputRequest extends TableLocation {
  where?: string | undefined;
  select?: string | undefined;
  /** Folders that will be written to. */
  writable: string[];
  /** A folder of the job's own for a copy of text input, in which rows can be reached by number. */
  workDir: string;
  threads: number;
}

/** Reads tables by row number and writes parts. DuckDB implements it. */
export interface BatchInputEngine {
  /**
   * The columns only, from the start of the file: cheap, for checks before a job starts. Throws `invalid` for SQL that is more than an
   * expression on the row (code sql_not_allowed), that does not fit the columns (sql_invalid), and for unreadable files (table_unreadable).
   */
  inspect(request: Omit<BatchInputRequest, 'writable' | 'workDir'>): Promise<{ columns: TableColumn[]; features: TableColumn[] }>;
  /** Throws `invalid` (column_type) naming a column whose type cannot become its feature. */
  check(features: readonly FeatureColumn[], columns: readonly TableColumn[]): void;
  /** Counts the rows and makes them reachable by number; text is copied into `workDir` for that. Throws as `inspect` does, and `exhausted` (disk_full). */
  open(request: BatchInputRequest): Promise<BatchInput>;
}
