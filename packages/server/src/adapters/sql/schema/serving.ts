export interface EndpointsTable {
  name: string;
  model: string;
  description: string;
  /** TrafficTarget[] as JSON. */
  traffic: string;
  /** ServedTarget[] as JSON. */
  last_served: string;
  revision: number;
  created_at: number;
  updated_at: number;
}

export interface ServingTables {
  endpoints: EndpointsTable;
}
