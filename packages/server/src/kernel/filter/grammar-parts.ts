import type { FilterGrammar, FilterOperator } from './types.ts';

/** What numbers compare by, and texts by what a search takes of them. */
export const NUMERIC: readonly FilterOperator[] = ['=', '!=', '>', '>=', '<', '<='];
export const TEXT: readonly FilterOperator[] = ['=', '!=', 'LIKE', 'ILIKE'];
export const TEXT_OR_NULL: readonly FilterOperator[] = [...TEXT, 'IS NULL', 'IS NOT NULL'];
export const TEXT_OR_LIST: readonly FilterOperator[] = [...TEXT, 'IN', 'NOT IN'];

/** Attributes that are written as they are called. */
export const sameNames = (...keys: string[]): Record<string, string> => Object.fromEntries(keys.map((key) => [key, key]));

/** The prefixes of a search that knows attributes and tags only. */
export const attributesAndTags: Pick<FilterGrammar, 'entities' | 'entityError'> = {
  entities: { attribute: 'attribute', tag: 'tag', tags: 'tag' },
  entityError: (entity) => `Invalid entity type '${entity}'. Valid entity types are ('attribute', 'tag', 'tags')`,
};
