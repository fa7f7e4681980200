import type { RunRow } from '@binnacle/contract';

/** Columns of the runs table by id: `a:` attribute, `m:` metric, `p:` param, `t:` tag. Pure; tested in columns.test.ts. */
export type ColumnKind = 'a' | 'm' | 'p' | 't';
export interface ColumnId {
  kind: ColumnKind;
  key: string;
}
export const ATTRIBUTES = ['started', 'duration', 'user', 'status', 'dataset'] as const;
const KINDS: readonly string[] = ['a', 'm', 'p', 't'];

export function parseColumn(id: string): ColumnId | undefined {
  const kind = id.slice(0, 1);
  return id[1] === ':' && id.length > 2 && KINDS.includes(kind) ? { kind: kind as ColumnKind, key: id.slice(2) } : undefined;
}

/** What is shown until somebody picks: when, how long, and the first few of each kind. */
export function defaultColumns(available: { metrics: string[]; params: string[] }): string[] {
  return [
    'a:started',
    'a:duration',
    ...available.metrics
      .filter((key) => !key.startsWith('system/'))
      .slice(0, 5)
      .map((key) => `m:${key}`),
    ...available.params.slice(0, 5).map((key) => `p:${key}`),
  ];
}

/** The `columns` of searchRuns for the picked ids: what is not picked is not fetched. */
export function requestedColumns(ids: string[]): { metrics: string[]; params: string[]; tags: string[] } {
  const out = { metrics: [] as string[], params: [] as string[], tags: [] as string[] };
  const lists = { m: out.metrics, p: out.params, t: out.tags };
  for (const id of new Set(ids)) {
    const column = parseColumn(id);
    if (column !== undefined && column.kind !== 'a') lists[column.kind].push(column.key);
  }
  return out;
}

const quote = (key: string): string => (key.includes('`') ? `"${key}"` : `\`${key}\``);
/** The column in MLflow's order_by grammar; undefined where the grammar has no word for it. */
export function orderKey(id: string): string | undefined {
  const column = parseColumn(id);
  if (column === undefined) return undefined;
  if (column.kind === 'm') return `metrics.${quote(column.key)}`;
  if (column.kind === 'p') return `params.${quote(column.key)}`;
  if (column.kind === 't') return `tags.${quote(column.key)}`;
  return { started: 'attributes.start_time', status: 'attributes.status', name: 'attributes.run_name' }[column.key];
}

/** The next order for a click on a header: descending, ascending, none. */
export function nextSort(id: string, current: string | undefined): string | undefined {
  const key = orderKey(id);
  if (key === undefined) return current;
  if (current === `${key} DESC`) return `${key} ASC`;
  return current === `${key} ASC` ? undefined : `${key} DESC`;
}

export function cellValue(run: RunRow, column: ColumnId): string | number | null | undefined {
  if (column.kind === 'm') return run.metrics[column.key];
  if (column.kind === 'p') return run.params[column.key];
  if (column.kind === 't') return run.tags[column.key];
  switch (column.key) {
    case 'started':
      return run.startedAt;
    case 'duration':
      return run.startedAt === null ? null : (run.endedAt ?? Date.now()) - run.startedAt;
    case 'user':
      return run.user;
    case 'status':
      return run.status;
    case 'dataset':
      return run.datasets.map((d) => (d.context === null ? d.name : `${d.name} (${d.context})`)).join(', ');
    default:
      return undefined;
  }
}

/** The columns in which the runs are not all alike; times always stay. */
export function varyingColumns(runs: RunRow[], ids: string[]): string[] {
  if (runs.length < 2) return ids;
  return ids.filter((id) => {
    const column = parseColumn(id);
    if (column === undefined) return false;
    if (column.kind === 'a' && (column.key === 'started' || column.key === 'duration')) return true;
    const first = cellValue(runs[0] as RunRow, column);
    return runs.some((run) => cellValue(run, column) !== first);
  });
}

/** As many of the columns as a link can hold: servers refuse longer request lines, and a reload must work. */
export function fitLink(ids: string[], limit = 5000): string[] {
  let length = 0;
  return ids.filter((id) => {
    length += encodeURIComponent(`"${id}",`).length;
    return length <= limit;
  });
}
