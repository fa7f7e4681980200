import type { GroupColumn, GroupValue, RunGroup } from '@binnacle/contract';
import { orderKey, parseColumn } from './columns.ts';

/** Groups of runs as the server forms them. Pure; tested in groups.test.ts. */
export interface ShownGroup extends RunGroup {
  /** Its values as JSON: the same for the same group, whatever the page or order. */
  id: string;
}
export const groupId = (values: readonly (string | null)[]): string => JSON.stringify(values);

const ATTRIBUTES: readonly string[] = ['status', 'user', 'dataset'];
const MOST_COLUMNS = 4;

/** What runs can be grouped by among the ids, each once, four at most: params, tags, and some attributes. */
export const groupable = (ids: readonly string[]): string[] => [...new Set(ids)].filter((id) => groupColumn(id) !== undefined).slice(0, MOST_COLUMNS);

export function groupColumn(id: string): GroupColumn | undefined {
  const column = parseColumn(id);
  if (column?.kind === 'p') return { kind: 'param', key: column.key };
  if (column?.kind === 't') return { kind: 'tag', key: column.key };
  return column?.kind === 'a' && ATTRIBUTES.includes(column.key) ? { kind: 'attribute', key: column.key as 'status' | 'user' | 'dataset' } : undefined;
}

export const groupColumns = (by: readonly string[]): GroupColumn[] => by.flatMap((id) => groupColumn(id) ?? []);

/** What the runs of a group are alike in, for a search of them. */
export const withinGroup = (by: readonly string[], values: readonly (string | null)[]): GroupValue[] =>
  groupColumns(by).map((column, i) => ({ column, value: values[i] ?? null }));

export interface GroupOrder {
  by: 'started' | 'runs' | 'metric' | 'value';
  key: string;
  ascending: boolean;
}

/** An order of runs as one of groups: a metric by its mean, what is grouped by by its value, the name by the number of runs; else the newest first. */
export function groupOrder(sort: string | undefined, columns: readonly string[], by: readonly string[]): GroupOrder {
  const ascending = sort?.endsWith(' ASC') === true;
  const key = sort?.replace(/ (ASC|DESC)$/, '');
  const is = (id: string) => key !== undefined && orderKey(id) === key;
  if (is('a:name')) return { by: 'runs', key: '', ascending };
  const value = by.findIndex(is);
  if (value >= 0) return { by: 'value', key: String(value), ascending };
  const metric = columns.find((id) => id.startsWith('m:') && is(id)) ?? metricOf(key);
  if (metric !== undefined) return { by: 'metric', key: metric.slice(2), ascending };
  return { by: 'started', key: '', ascending: ascending && is('a:started') };
}

/** A metric that is sorted by and not shown. */
function metricOf(key: string | undefined): string | undefined {
  const name = key === undefined ? undefined : /^metrics\.([`"])(.+)\1$/s.exec(key)?.[2];
  return name === undefined ? undefined : `m:${name}`;
}

const valueText = (value: string | null): string => (value === null ? 'not set' : value === '' ? "= ''" : `= ${value.replaceAll('\n', ', ')}`);
/** "model = boosted, depth = 6". */
export const groupName = (group: RunGroup, by: readonly string[]): string =>
  group.values.map((value, i) => `${parseColumn(by[i] ?? '')?.key ?? ''} ${valueText(value)}`).join(', ');
