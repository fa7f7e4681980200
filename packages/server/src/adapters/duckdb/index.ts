/** DuckDB: tables in files, the input and output of batch jobs, the prediction log, training data. */
export { createDuckDbBatchInput } from './batch-input.ts';
export { type DuckDb, type DuckDbOptions, duckDbVersion, openDuckDb } from './instance.ts';
export { openNeptuneExport } from './neptune-export.ts';
export { openParquetExport } from './parquet-export.ts';
export { readParquetTable } from './parquet-table.ts';
export { createDuckDbTables } from './tables.ts';
export { duckDbPredictionLog } from './prediction-log-thread.ts';
export { duckDbTrainingData } from './profile-data.ts';
