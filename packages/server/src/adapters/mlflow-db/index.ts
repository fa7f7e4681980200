/** MLflow's SQLite database, read only. */
export { openMlflowDatabase } from './source.ts';
