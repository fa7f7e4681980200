export * from './grammars.ts';
export { parseFilter } from './parse-filter.ts';
export { parseOrderBy } from './parse-order-by.ts';
export type * from './types.ts';
