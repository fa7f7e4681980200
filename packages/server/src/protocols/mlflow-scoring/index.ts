/** MLflow's scoring protocol. */
export { mlflowScoring, type ScoringOptions } from './http.ts';
