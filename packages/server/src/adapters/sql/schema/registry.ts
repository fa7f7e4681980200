export interface RegisteredModelTable {
  id: string;
  name: string;
  description: string;
  created_at: number;
  updated_at: number;
  /** Numbers are never used twice, so the highest ever given is kept. */
  last_version: number;
  gate_policy: string | null;
}

export interface RegisteredModelTagTable {
  model_id: string;
  tag_key: string;
  tag_value: string;
}

export interface RegisteredModelAliasTable {
  model_id: string;
  alias: string;
  version: number;
}

export interface ModelVersionTable {
  model_id: string;
  version: number;
  description: string;
  stage: string;
  source: string;
  storage_uri: string;
  run_id: string | null;
  run_link: string | null;
  logged_model_id: string | null;
  created_at: number;
  updated_at: number;
  storage_path: string | null;
  graph_path: string | null;
  graph_sha256: string | null;
  derived_path: string | null;
  size_bytes: number | null;
  servable: number;
  status_message: string;
  /** JSON: flavors, signature, tensors, metadata. */
  facts: string;
}

export interface ModelVersionTagTable {
  model_id: string;
  version: number;
  tag_key: string;
  tag_value: string;
}

export interface GateReportTable {
  id: string;
  model_id: string;
  version: number;
  alias: string | null;
  passed: number;
  forced: number;
  reason: string | null;
  created_at: number;
  /** JSON. */
  results: string;
}

export interface RegistryTables {
  registered_models: RegisteredModelTable;
  registered_model_tags: RegisteredModelTagTable;
  registered_model_aliases: RegisteredModelAliasTable;
  model_versions: ModelVersionTable;
  model_version_tags: ModelVersionTagTable;
  gate_reports: GateReportTable;
}
