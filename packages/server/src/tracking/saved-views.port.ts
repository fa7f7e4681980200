/** A page's state kept under a name in an experiment. */
export interface SavedViewRecord {
  experimentId: string;
  name: string;
  page: ViewPage;
  state: Record<string, unknown>;
  isDefault: boolean;
  /** Counts the changes, from 1. */
  revision: number;
  createdAt: number;
  updatedAt: number;
}
export type ViewPage = 'runs' | 'compare';

/** Where saved views live. Each call is one transaction. Every method throws `not_found` (`experiment_not_found`) for an unknown experiment. */
export interface SavedViewStore {
  /** By name, as its bytes sort. */
  listViews(experimentId: string): Promise<SavedViewRecord[]>;
  /**
   * Writes a new view, or over the one of that name. Its being the default stays, unless it becomes one of another page.
   * `conflict` (`view_changed`) when `revision` is given and the stored one, 0 for none, is another; `conflict` (`too_many_views`) beyond `most`.
   */
  putView(view: Pick<SavedViewRecord, 'experimentId' | 'name' | 'page' | 'state'>, revision: number | null, most: number): Promise<SavedViewRecord>;
  /** `not_found` (`view_not_found`), `conflict` (`view_exists`) when another has the new name. An experiment has one default at most. */
  updateView(experimentId: string, name: string, change: { name?: string; isDefault?: boolean }): Promise<SavedViewRecord>;
  /** False when there was none. */
  deleteView(experimentId: string, name: string): Promise<boolean>;
}
