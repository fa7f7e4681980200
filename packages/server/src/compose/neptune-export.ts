/** What neptune-exporter wrote, for the command that brings it in. */
export { openNeptuneExport } from '../adapters/duckdb/index.ts';
