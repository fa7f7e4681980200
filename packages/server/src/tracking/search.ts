import { parseFilter, parseOrderBy } from '../kernel/filter/index.ts';
import { decodePageToken, encodePageToken, invalid } from '../kernel/index.ts';
import { experimentGrammar, loggedModelGrammar, runGrammar } from './filter-grammars.ts';
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
export const keyToToken = (key: unknown[] | undefined): string | undefined => (key === undefined ? undefined : encodePageToken(key));

const afterOf = (token: string | undefined): { after?: unknown[] } => {
  const after = tokenToKey(token);
  return after === undefined ? {} : { after };
};

export function toRunQuery(request: SearchRequest & { experimentIds: string[]; columns?: RunColumns | undefined }): RunQuery {
  return {
    experimentIds: request.experimentIds,
    conditions: parseFilter(request.filter, runGrammar),
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
