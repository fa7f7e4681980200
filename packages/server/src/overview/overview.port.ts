/** How much a server holds. */
export interface Counts {
  experiments: number;
  runs: number;
  models: number;
  endpoints: number;
  batchJobs: number;
  openAlarms: number;
}

/** A thing found by a part of its name or by its id. */
export interface Hit {
  kind: 'experiment' | 'run' | 'model' | 'endpoint' | 'batch';
  id: string;
  name: string;
  detail: string;
}

/** Reads across the rooms' tables; writes nothing. */
export interface OverviewStore {
  counts(): Promise<Counts>;
  /**
   * At most `limit` hits of all kinds, those whose name starts with the text or whose id it is first. Case does not count, in any script;
   * `%` and `_` in the text stand for themselves.
   */
  find(text: string, limit: number): Promise<Hit[]>;
}
