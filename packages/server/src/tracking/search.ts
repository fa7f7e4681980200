import { type FilterCondition, parseFilter, parseOrderBy } from '../kernel/filter/index.ts';
import { decodePageToken, encodePageToken, invalid } from '../kernel/index.ts';
import { experimentGrammar, loggedModelGrammar, runGrammar } from './filter-grammars.ts';
import type { GroupValue } from './run-groups.types.ts';
import type { DatasetFilter, ExperimentQuery, LoggedModelOrder, LoggedModelQuery, RunColumns, RunQuery, View } from './types.ts';

export interface SearchRequest {
  filter?: string | undefined;
  orderBy?: string[] | undefined;
  view?: View | undefined;
  limit: number;
  pageToken?: string | undefined;
}

/** A page token holds the sort key of the last row; anything else is not ours. */
export function tokenToKey(token: string | undefined): unknown[] | undefined {
  const key = decodePageToken<unknown>(token);
  if (key === undefined) return undefined;
  if (!Array.isArray(key)) throw invalid('invalid_page_token', 'Invalid page token: it was not made by this server. Start again without one.');
  return key;
}
/** A part of a key that a database can be asked about. */
export const isName = (part: unknown): part is string => typeof part === 'string' && part.isWellFormed() && !part.includes('\0');
export const keyToToken = (key: unknown[] | undefined): string | undefined => (key === undefined ? undefined : encodePageToken(key));

const afterOf = (token: string | undefined): { after?: unknown[] } => {
  const after = tokenToKey(token);
  return after === undefined ? {} : { after };
};

export interface RunSearchRequest extends SearchRequest {
  experimentIds: string[];
  columns?: RunColumns | undefined;
  /** Only the runs of a group. */
  within?: GroupValue[] | undefined;
}

const isDataset = ({ column }: GroupValue): boolean => column.kind === 'attribute' && column.key === 'dataset';

/** What runs of a group are alike in, but for their datasets, as conditions. */
const conditionsOf = (within: GroupValue[]): FilterCondition[] =>
  within
    .filter((one) => !isDataset(one))
    .map(({ column: { kind, key }, value }) => {
      // A run without a user has an empty one.
      if (kind === 'attribute') return { kind, key: key === 'user' ? 'user_id' : key, operator: '=', value: value ?? '' };
      return value === null ? { kind, key, operator: 'IS NULL', value } : { kind, key, operator: '=', value };
    });

export function toRunQuery(request: RunSearchRequest): RunQuery {
  const within = request.within ?? [];
  const [datasets] = within.filter(isDataset);
  return {
    experimentIds: request.experimentIds,
    conditions: [...parseFilter(request.filter, runGrammar), ...conditionsOf(within)],
    ...(datasets === undefined ? {} : { datasets: datasets.value === null ? [] : datasets.value.split('\n') }),
    orderBy: parseOrderBy(request.orderBy, runGrammar),
    view: request.view ?? 'active',
    limit: request.limit,
    ...afterOf(request.pageToken),
    ...(request.columns === undefined ? {} : { columns: request.columns }),
  };
}

export function toExperimentQuery(request: SearchRequest): ExperimentQuery {
  const orderBy = parseOrderBy(request.orderBy, experimentGrammar);
  const other = orderBy.find(({ kind }) => kind !== 'attribute');
  if (other !== undefined) throw invalid('invalid_order_by', `Invalid order_by entity: ${other.kind}`);
  return {
    conditions: parseFilter(request.filter, experimentGrammar),
    orderBy,
    view: request.view ?? 'active',
    limit: request.limit,
    ...afterOf(request.pageToken),
  };
}

export interface LoggedModelSearchRequest {
  experimentIds: string[];
  filter?: string | undefined;
  datasets: DatasetFilter[];
  orderBy: { fieldName: string; ascending: boolean; datasetName: string | null; datasetDigest: string | null }[];
  limit: number;
  pageToken?: string | undefined;
}

export function toLoggedModelQuery(request: LoggedModelSearchRequest): LoggedModelQuery {
  return {
    experimentIds: request.experimentIds,
    conditions: parseFilter(request.filter, loggedModelGrammar),
    datasets: request.datasets,
    orderBy: request.orderBy.map(modelOrder),
    limit: request.limit,
    ...afterOf(request.pageToken),
  };
}

function modelOrder({ fieldName, ascending, datasetName, datasetDigest }: LoggedModelSearchRequest['orderBy'][number]): LoggedModelOrder {
  if (datasetDigest !== null && datasetName === null)
    throw invalid('invalid_order_by', '`dataset_digest` can only be specified if `dataset_name` is also specified.');
  const dot = fieldName.indexOf('.');
  if (dot >= 0) {
    const entity = fieldName.slice(0, dot);
    if (entity !== 'metrics') throw invalid('invalid_order_by', `Invalid order by field name: ${fieldName}. Only metrics are supported.`);
    return { kind: 'metric', key: fieldName.slice(dot + 1), ascending, datasetName, datasetDigest };
  }
  const name = fieldName.trim();
  const key = Object.hasOwn(loggedModelGrammar.orderAttributes, name) ? loggedModelGrammar.orderAttributes[name] : undefined;
  if (key === undefined) throw invalid('invalid_order_by', `Invalid order by field name: ${fieldName}`);
  return { kind: 'attribute', key, ascending, datasetName: null, datasetDigest: null };
}
