export interface SavedViewsTable {
  experiment_id: number;
  name: string;
  page: string;
  /** JSON object. */
  state: string;
  is_default: number;
  revision: number;
  created_at: number;
  updated_at: number;
}

export interface ViewTables {
  saved_views: SavedViewsTable;
}
