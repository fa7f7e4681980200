export type TableFormat = 'csv' | 'jsonl' | 'parquet';

/** A file of a table, by its real path. */
export interface TableFile {
  path: string;
  bytes: number;
  /** Milliseconds since the epoch. */
  modifiedAt: number;
}

export interface TableColumn {
  name: string;
  /** The engine's SQL type, such as `BIGINT` or `VARCHAR`. */
  type: string;
}

/** The values of a column, one a row, without a JavaScript value for each: booleans are 0/1 in a Uint8Array. */
export type ColumnArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | string[];

/** A named column of a table: one value a row. Numbers are NaN and strings null where missing. */
export interface Column {
  name: string;
  values: ColumnArray | (string | number | boolean | bigint | null)[];
}

/** Columns of equal length. */
export interface Table {
  rows: number;
  columns: Column[];
}

/** What a location stands for: files in the order in which their rows count. */
export interface TableLocation {
  format: TableFormat;
  files: TableFile[];
}
