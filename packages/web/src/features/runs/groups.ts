import type { RunRow } from '@binnacle/contract';
import { toNumber } from '../../ui/format.ts';
import { cellValue, orderKey, parseColumn } from './columns.ts';

/** Runs that are alike in the params and tags that they are grouped by. Pure; tested in groups.test.ts. */
export interface RunGroup {
  id: string;
  /** A value for each column of the grouping; undefined where the runs have none. */
  values: (string | undefined)[];
  runs: RunRow[];
}
export interface Spread {
  /** Finite values; runs without one are not in it. */
  count: number;
  mean: number;
  /** Sample standard deviation (n − 1); undefined for a single value. */
  deviation: number | undefined;
  min: number;
  max: number;
}

/** The params and tags among the ids, each once, four at most: what runs can be grouped by. */
export const groupable = (ids: readonly string[]): string[] =>
  [...new Set(ids)]
    .filter((id) => {
      const kind = parseColumn(id)?.kind;
      return kind === 'p' || kind === 't';
    })
    .slice(0, 4);

/** The groups in the order of their first runs; in an order by a metric, by its mean, those without it last. */
export function groupRuns(runs: readonly RunRow[], by: readonly string[], sort?: string): RunGroup[] {
  const columns = by.flatMap((id) => parseColumn(id) ?? []);
  const groups = new Map<string, RunGroup>();
  for (const run of runs) {
    const values = columns.map((column) => {
      const value = cellValue(run, column);
      return value === undefined || value === null ? undefined : String(value);
    });
    const id = JSON.stringify(values.map((value) => value ?? null));
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { id, values, runs: [run] });
    else group.runs.push(run);
  }
  const list = [...groups.values()];
  const metric = sort === undefined ? undefined : metricOf(sort, runs);
  if (metric === undefined) return list;
  const sign = sort?.endsWith(' ASC') === true ? 1 : -1;
  const means = new Map(list.map((group) => [group.id, spreadOf(group.runs, metric)?.mean]));
  return list.sort((a, b) => {
    const [x, y] = [means.get(a.id), means.get(b.id)];
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    return sign * (x - y);
  });
}

/** The metric of an order such as metrics.`auc` DESC, if one of the runs has it. */
function metricOf(sort: string, runs: readonly RunRow[]): string | undefined {
  if (!sort.startsWith('metrics.')) return undefined;
  for (const run of runs) for (const key of Object.keys(run.metrics)) if (sort.startsWith(`${orderKey(`m:${key}`)} `)) return key;
  return undefined;
}

/** Mean and spread of a metric over runs (Welford's method); undefined where no run has a finite value. */
export function spreadOf(runs: readonly RunRow[], metric: string): Spread | undefined {
  let count = 0;
  let mean = 0;
  let squares = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const run of runs) {
    const value = toNumber(run.metrics[metric]);
    if (!Number.isFinite(value)) continue;
    count += 1;
    const off = value - mean;
    mean += off / count;
    squares += off * (value - mean);
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return count === 0 ? undefined : { count, mean, deviation: count === 1 ? undefined : Math.sqrt(squares / (count - 1)), min, max };
}

/** What all runs of a group have in a column; `many` different values where they are not alike. */
export function commonValue(runs: readonly RunRow[], id: string): { value: string | number | null | undefined } | { many: number } {
  const column = parseColumn(id);
  if (column === undefined) return { value: undefined };
  const values = new Set(runs.map((run) => cellValue(run, column)));
  return values.size === 1 ? { value: [...values][0] } : { many: values.size };
}
