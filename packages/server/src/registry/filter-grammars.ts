import { attributesAndTags, type FilterGrammar, NUMERIC, sameNames, TEXT, TEXT_OR_LIST } from '../kernel/filter/index.ts';

/** `registered-models/search`. */
export const registeredModelGrammar: FilterGrammar = {
  ...attributesAndTags,
  attributes: sameNames('name'),
  orderAttributes: { ...sameNames('name', 'creation_timestamp', 'last_updated_timestamp'), timestamp: 'last_updated_timestamp' },
  numeric: new Set(),
  lists: new Set(['name']),
  nullable: new Set(),
  operators: { tag: TEXT, attribute: TEXT_OR_LIST },
};

/** `model-versions/search`. */
export const modelVersionGrammar: FilterGrammar = {
  ...attributesAndTags,
  attributes: sameNames('name', 'version_number', 'run_id', 'source_path'),
  orderAttributes: sameNames('name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'),
  numeric: new Set(['version_number']),
  lists: new Set(['name', 'run_id']),
  nullable: new Set(),
  operators: { number: NUMERIC, tag: TEXT, attribute: TEXT_OR_LIST },
};
