/** The filter and order_by language of MLflow's searches: the parser, and the parts that the rooms make their grammars of. */
export * from './grammar-parts.ts';
export { parseFilter } from './parse-filter.ts';
export { parseOrderBy } from './parse-order-by.ts';
export type * from './types.ts';
