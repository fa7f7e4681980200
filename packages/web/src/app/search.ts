/**
 * The view state that each page keeps in its URL. Every parser drops what it does not understand, so that an old or
 * hand-typed link still opens.
 */
type Raw = Record<string, unknown>;

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
const flag = (value: unknown): true | undefined => (value === true || value === 'true' || value === 1 ? true : undefined);
const number = (value: unknown): number | undefined => {
  const parsed = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : undefined;
};
const list = (value: unknown): string[] | undefined => {
  const from = typeof value === 'string' && value !== '' ? fromText(value) : value;
  return Array.isArray(from) ? from.filter((item): item is string | number => typeof item === 'string' || typeof item === 'number').map(String) : undefined;
};
/** MLflow's compare links carry JSON; people type commas. */
const fromText = (value: string): unknown => {
  try {
    const parsed: unknown = JSON.parse(value);
    if (Array.isArray(parsed)) return parsed;
  } catch {
    // Not JSON: a comma-separated list.
  }
  return value.split(',');
};
/** A JSON object of numbers, such as widths by column. */
const numbers = (value: unknown): Record<string, number> | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const kept = Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1]));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
};
const oneOf = <T extends string>(value: unknown, allowed: readonly T[]): T | undefined => allowed.find((item) => item === value);
/** Leaves out what is undefined, so URLs stay short. */
const compact = <T extends object>(search: T): T => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;

export const VIEWS = ['active', 'deleted', 'all'] as const;
export type View = (typeof VIEWS)[number];
export const RUN_TABS = ['overview', 'charts', 'series', 'system', 'artifacts', 'lineage'] as const;
export const ENTRY_KINDS = ['string', 'histogram', 'file', 'image'] as const;
export const MODEL_TABS = ['versions', 'gates', 'lineage'] as const;
export const ENDPOINT_TABS = ['overview', 'try', 'settings', 'log'] as const;
export const MONITOR_TABS = ['series', 'drift', 'alarms', 'quality', 'predictions', 'config'] as const;
export const SOURCES = ['live', 'batch', 'all'] as const;
export type MonitorTab = (typeof MONITOR_TABS)[number];

export interface ListSearch {
  q?: string | undefined;
  view?: View | undefined;
}
export const listSearch = (raw: Raw): ListSearch => compact({ q: text(raw['q']), view: oneOf(raw['view'], VIEWS) });

export interface ExperimentSearch {
  filter?: string | undefined;
  /** An item of MLflow's order_by, such as metrics.`auc` DESC. */
  sort?: string | undefined;
  /** Columns as m:key, p:key, t:key. */
  cols?: string[] | undefined;
  /** Widths of columns that somebody has drawn, in pixels. */
  widths?: Record<string, number> | undefined;
  diff?: true | undefined;
  /** Which runs: active ones unless it says others. */
  stage?: View | undefined;
  /** The name of the saved view that this began with; what it holds stands beside it. */
  view?: string | undefined;
  sel?: string[] | undefined;
  /** What the runs are grouped by, as p:key, t:key or a:key. */
  group?: string[] | undefined;
  /** Groups that are open, by their values. */
  open?: string[] | undefined;
  plot?: true | undefined;
  /** Of the scatter plot. */
  x?: string | undefined;
  y?: string | undefined;
  color?: string | undefined;
  logx?: true | undefined;
  logy?: true | undefined;
}
export function experimentSearch(raw: Raw): ExperimentSearch {
  // Before views had names, `view` said which runs.
  const stage = oneOf(raw['stage'], VIEWS);
  const old = stage === undefined ? oneOf(raw['view'], VIEWS) : undefined;
  return compact({
    filter: text(raw['filter']),
    sort: text(raw['sort']),
    cols: list(raw['cols']),
    widths: numbers(raw['widths']),
    diff: flag(raw['diff']),
    stage: stage ?? old,
    view: old === undefined ? text(raw['view']) : undefined,
    sel: list(raw['sel']),
    group: list(raw['group']),
    open: list(raw['open']),
    plot: flag(raw['plot']),
    ...plotSearch(raw),
  });
}
const plotSearch = (raw: Raw) => ({ x: text(raw['x']), y: text(raw['y']), color: text(raw['color']), logx: flag(raw['logx']), logy: flag(raw['logy']) });

export interface CompareSearch {
  runs?: string[] | undefined;
  diff?: true | undefined;
  metrics?: string[] | undefined;
  axes?: string[] | undefined;
  smooth?: number | undefined;
  from?: number | undefined;
  to?: number | undefined;
  /** The name of the saved view that this began with. */
  view?: string | undefined;
  /** Parts of axes that runs must go through: from and to, 0 at the bottom and 1 at the top. */
  brush?: Record<string, [number, number]> | undefined;
  /** Of the scatter plot. */
  x?: string | undefined;
  y?: string | undefined;
  color?: string | undefined;
  logx?: true | undefined;
  logy?: true | undefined;
}
const ranges = (value: unknown): Record<string, [number, number]> | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const kept = Object.entries(value).filter(
    (entry): entry is [string, [number, number]] => Array.isArray(entry[1]) && entry[1].length === 2 && entry[1].every((end) => typeof end === 'number'),
  );
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
};
export const compareSearch = (raw: Raw): CompareSearch =>
  compact({
    runs: list(raw['runs']),
    view: text(raw['view']),
    brush: ranges(raw['brush']),
    ...plotSearch(raw),
    diff: flag(raw['diff']),
    metrics: list(raw['metrics']),
    axes: list(raw['axes']),
    smooth: number(raw['smooth']),
    from: number(raw['from']),
    to: number(raw['to']),
  });

export interface RunSearch {
  tab?: (typeof RUN_TABS)[number] | undefined;
  q?: string | undefined;
  smooth?: number | undefined;
  log?: true | undefined;
  from?: number | undefined;
  to?: number | undefined;
  path?: string | undefined;
  /** The logged model whose files are shown. */
  model?: string | undefined;
  /** The series that is open, of which kind, and at which step. */
  entry?: string | undefined;
  kind?: (typeof ENTRY_KINDS)[number] | undefined;
  step?: number | undefined;
  /** Closed branches of the metrics, and sections of the charts; `/` first: all are, but those listed. */
  fold?: string[] | undefined;
  /** The same of the params. */
  pfold?: string[] | undefined;
}
export const runSearch = (raw: Raw): RunSearch =>
  compact({
    tab: oneOf(raw['tab'], RUN_TABS),
    q: text(raw['q']),
    smooth: number(raw['smooth']),
    log: flag(raw['log']),
    from: number(raw['from']),
    to: number(raw['to']),
    path: text(raw['path']),
    model: text(raw['model']),
    entry: text(raw['entry']),
    kind: oneOf(raw['kind'], ENTRY_KINDS),
    step: number(raw['step']),
    fold: list(raw['fold']),
    pfold: list(raw['pfold']),
  });

export interface ModelSearch {
  tab?: (typeof MODEL_TABS)[number] | undefined;
}
export const modelSearch = (raw: Raw): ModelSearch => compact({ tab: oneOf(raw['tab'], MODEL_TABS) });

export interface EndpointSearch {
  tab?: (typeof ENDPOINT_TABS)[number] | undefined;
  protocol?: 'open-inference' | undefined;
}
export const endpointSearch = (raw: Raw): EndpointSearch =>
  compact({ tab: oneOf(raw['tab'], ENDPOINT_TABS), protocol: oneOf(raw['protocol'], ['open-inference']) });

export interface EndpointsSearch {
  deploy?: true | undefined;
  model?: string | undefined;
}
export const endpointsSearch = (raw: Raw): EndpointsSearch => compact({ deploy: flag(raw['deploy']), model: text(raw['model']) });

export interface BatchSearch {
  new?: true | undefined;
  model?: string | undefined;
}
export const batchSearch = (raw: Raw): BatchSearch => compact({ new: flag(raw['new']), model: text(raw['model']) });

export interface MonitorSearch {
  tab?: MonitorTab | undefined;
  from?: number | undefined;
  to?: number | undefined;
  /** The whole history, silence included. */
  all?: true | undefined;
  source?: (typeof SOURCES)[number] | undefined;
  version?: number | undefined;
  feature?: string | undefined;
  window?: number | undefined;
  /** Of the heat map: which figure its cells show. */
  figure?: 'js' | 'ks' | 'w1n' | 'psi' | undefined;
  id?: string | undefined;
}
export const monitorSearch = (raw: Raw): MonitorSearch =>
  compact({
    tab: oneOf(raw['tab'], MONITOR_TABS),
    from: number(raw['from']),
    to: number(raw['to']),
    source: oneOf(raw['source'], SOURCES),
    all: flag(raw['all']),
    version: number(raw['version']),
    feature: text(raw['feature']),
    window: number(raw['window']),
    figure: oneOf(raw['figure'], ['js', 'ks', 'w1n', 'psi']),
    id: text(raw['id']),
  });
