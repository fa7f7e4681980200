/** Tables as Parquet files, for the command that writes them. */
export { openParquetExport } from '../adapters/duckdb/index.ts';
