import type { FilterCondition } from '../kernel/filter/index.ts';
import type { View } from './types.ts';

/** What runs are grouped by. The value of `dataset` is the names of a run's datasets, sorted, a line each. */
export type GroupColumn = { kind: 'param' | 'tag'; key: string } | { kind: 'attribute'; key: 'status' | 'user' | 'dataset' };
/** What runs are alike in; null: they have none. */
export interface GroupValue {
  column: GroupColumn;
  value: string | null;
}

export interface GroupQuery {
  experimentIds: string[];
  conditions: FilterCondition[];
  view: View;
  by: GroupColumn[];
  metrics: string[];
  params: string[];
  tags: string[];
  attributes: ('status' | 'user')[];
  /** `key`: the metric's name, or which of `by`. Groups without a mean or value come last; equal ones are sorted by their values. */
  order: { by: 'started' | 'runs' | 'metric' | 'value'; key: string; ascending: boolean };
  limit: number;
  /** The sort key after which the page starts, as `GroupPage.next` gave it. */
  after?: unknown[];
}

/** Of finite values. */
export interface Spread {
  count: number;
  mean: number;
  /** Sample standard deviation (n − 1); null of a single value. */
  deviation: number | null;
  min: number;
  max: number;
}
/** How many different values the runs of a group have, none being one of them; the value when it is the only one. */
export interface Shared {
  values: number;
  value: string | null;
}

export interface RunGroupRecord {
  values: (string | null)[];
  runs: number;
  startedFrom: number;
  startedTo: number;
  /** Without the metrics of which no run has a finite value. */
  metrics: Record<string, Spread>;
  params: Record<string, Shared>;
  tags: Record<string, Shared>;
  attributes: Record<string, Shared>;
}
export interface GroupPage {
  groups: RunGroupRecord[];
  /** Groups on all pages. */
  total: number;
  /** Runs in all groups. */
  runs: number;
  next?: unknown[] | undefined;
}
