/** What a key of a filter belongs to. */
export type FilterKind = 'attribute' | 'metric' | 'param' | 'tag' | 'dataset';
export type FilterOperator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'ILIKE' | 'IN' | 'NOT IN' | 'IS NULL' | 'IS NOT NULL';

/** One comparison of an AND-ed filter. `value` is a list for IN and NOT IN, null for IS [NOT] NULL, a number for metrics and numeric attributes. */
export interface FilterCondition {
  kind: FilterKind;
  /** The attribute's canonical name, or the metric's, param's or tag's key. */
  key: string;
  operator: FilterOperator;
  value: string | number | string[] | null;
}

export interface OrderBy {
  kind: FilterKind;
  key: string;
  ascending: boolean;
}

/** What one search of the protocol accepts. */
export interface FilterGrammar {
  /** The prefix before the first dot, as written → what it means. A key without prefix is an attribute. */
  entities: Readonly<Record<string, FilterKind>>;
  /** Builds the message for an unknown prefix. */
  entityError(entity: string): string;
  /** Searchable attributes by the spelling that a filter may use → canonical name. */
  attributes: Readonly<Record<string, string>>;
  /** Attributes (and for datasets, keys) that order_by takes, in the same form. */
  orderAttributes: Readonly<Record<string, string>>;
  /** Canonical names of the attributes that compare as numbers. */
  numeric: ReadonlySet<string>;
  /** Attributes that take a list of strings with IN; 'all' for every string attribute. */
  lists: ReadonlySet<string> | 'all';
  /** Kinds that take IS NULL and IS NOT NULL. */
  nullable: ReadonlySet<FilterKind>;
  operators: Readonly<Partial<Record<FilterKind | 'number', readonly FilterOperator[]>>>;
  /** Values of strings may come unquoted (logged models). */
  bareValues?: boolean;
}
