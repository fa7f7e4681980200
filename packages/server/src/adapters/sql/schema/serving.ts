export interface EndpointsTable {
  name: string;
  model: string;
  description: string;
  /** TrafficTarget[] as JSON. */
  traffic: string;
  /** ServedTarget[] as JSON. */
  last_served: string;
  /** EndpointConfig as JSON; null: empty. */
  config: string | null;
  /** 0 or 1; null: 0. */
  suspended: number | null;
  revision: number;
  created_at: number;
  updated_at: number;
}

export interface EndpointChangesTable {
  endpoint: string;
  revision: number;
  kind: string;
  reason: string;
  /** TrafficTarget[] as JSON. */
  traffic: string;
  at: number;
}

export interface ServingTables {
  endpoints: EndpointsTable;
  endpoint_changes: EndpointChangesTable;
}
