/** An MLflow server, over MLflow's REST API. */
export { openMlflowServer } from './source.ts';
