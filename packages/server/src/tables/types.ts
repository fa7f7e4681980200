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

/** What a location stands for: files in the order in which their rows count. */
export interface TableLocation {
  format: TableFormat;
  files: TableFile[];
}
