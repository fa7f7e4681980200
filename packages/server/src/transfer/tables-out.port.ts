export interface ExportColumn {
  name: string;
  type: 'text' | 'integer' | 'number';
}
export type ExportValue = string | number | null;

/** Files that tables are written to. */
export interface TablesOut {
  create(name: string, columns: ExportColumn[]): Promise<void>;
  /** Values in the order of the columns. */
  append(name: string, rows: ExportValue[][]): void;
  /** Writes and syncs the files; ends it. */
  finish(): Promise<void>;
  /** Ends it without files. */
  close(): Promise<void>;
}
