import { attributesAndTags, type FilterGrammar, type FilterKind, NUMERIC, sameNames, TEXT_OR_LIST, TEXT_OR_NULL } from '../kernel/filter/index.ts';

const ENTITIES: Record<string, FilterKind> = {
  metric: 'metric',
  metrics: 'metric',
  parameter: 'param',
  parameters: 'param',
  param: 'param',
  params: 'param',
  tag: 'tag',
  tags: 'tag',
  attribute: 'attribute',
  attr: 'attribute',
  attributes: 'attribute',
  run: 'attribute',
  dataset: 'dataset',
  datasets: 'dataset',
};

const runAttributes = {
  ...sameNames('run_id', 'run_name', 'user_id', 'status', 'start_time', 'end_time', 'artifact_uri'),
  created: 'start_time',
  Created: 'start_time',
  'run name': 'run_name',
  'Run name': 'run_name',
  'Run Name': 'run_name',
};

/** `runs/search`. */
export const runGrammar: FilterGrammar = {
  entities: ENTITIES,
  entityError: (entity) => `Invalid entity type '${entity}'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']`,
  attributes: runAttributes,
  orderAttributes: { ...runAttributes, experiment_id: 'experiment_id', lifecycle_stage: 'lifecycle_stage' },
  numeric: new Set(['start_time', 'end_time']),
  lists: new Set(['run_id']),
  nullable: new Set<FilterKind>(['tag', 'param']),
  operators: { metric: NUMERIC, number: NUMERIC, param: TEXT_OR_NULL, tag: TEXT_OR_NULL, attribute: TEXT_OR_LIST, dataset: TEXT_OR_LIST },
};

/** `experiments/search`. */
export const experimentGrammar: FilterGrammar = {
  ...attributesAndTags,
  attributes: sameNames('name', 'experiment_id', 'creation_time', 'last_update_time'),
  orderAttributes: sameNames('name', 'experiment_id', 'creation_time', 'last_update_time'),
  numeric: new Set(['creation_time', 'last_update_time']),
  lists: new Set(['experiment_id']),
  nullable: new Set<FilterKind>(['tag']),
  operators: { number: NUMERIC, tag: TEXT_OR_NULL, attribute: TEXT_OR_LIST },
};

const modelTimes = {
  creation_time: 'creation_timestamp',
  creation_timestamp: 'creation_timestamp',
  creation_timestamp_ms: 'creation_timestamp',
  last_updated_time: 'last_updated_timestamp',
  last_updated_timestamp: 'last_updated_timestamp',
  last_updated_timestamp_ms: 'last_updated_timestamp',
};
const modelAttributes = { ...sameNames('name', 'model_id', 'model_type', 'status', 'source_run_id', 'experiment_id', 'artifact_uri'), ...modelTimes };

/** `logged-models/search`. Its order_by is structured, see search.ts. */
export const loggedModelGrammar: FilterGrammar = {
  entities: Object.fromEntries(Object.entries(ENTITIES).filter(([, kind]) => kind !== 'dataset')),
  entityError: (entity) => `Invalid entity type: '${entity}'. Expected one of ['attributes', 'metrics', 'params', 'tags'].`,
  attributes: modelAttributes,
  orderAttributes: modelAttributes,
  numeric: new Set(['creation_timestamp', 'last_updated_timestamp']),
  lists: 'all',
  nullable: new Set(),
  operators: { metric: NUMERIC, number: NUMERIC, param: TEXT_OR_LIST, tag: TEXT_OR_LIST, attribute: TEXT_OR_LIST },
  bareValues: true,
};
