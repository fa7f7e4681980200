import type { CallResult } from '@binnacle/sdk';
import { type Axis, axisOf } from '../../charts/axis.ts';

export type Comparison = CallResult<'compareRuns'>;
export type CompareRow = Comparison['rows'][number];
const ORDER: Record<CompareRow['kind'], number> = { param: 0, metric: 1, attribute: 2, tag: 3 };

/** Differences first, then params, metrics, attributes, tags; by name within. `query` is part of a key. */
export function orderRows(rows: CompareRow[], onlyDifferent: boolean, query: string): CompareRow[] {
  const wanted = query.trim().toLowerCase();
  return rows
    .filter((row) => (!onlyDifferent || row.differs) && (wanted === '' || row.key.toLowerCase().includes(wanted)))
    .sort((a, b) => Number(b.differs) - Number(a.differs) || ORDER[a.kind] - ORDER[b.kind] || a.key.localeCompare(b.key));
}

/** Params that vary and have a value in more than one run, at most `limit`: the axes worth drawing. */
export function varyingAxes(rows: CompareRow[], limit: number): string[] {
  const usable = rows.filter((row) => row.differs && (row.kind === 'param' || row.kind === 'metric') && row.values.filter((v) => v !== null).length > 1);
  const params = usable.filter((row) => row.kind === 'param').slice(0, limit - 1);
  const metrics = usable.filter((row) => row.kind === 'metric').slice(0, Math.max(1, Math.min(3, limit - params.length)));
  return [...params, ...metrics].map(axisId);
}
export const axisId = (row: CompareRow): string => `${row.kind}:${row.key}`;

/** An axis of a row: see `axisOf`. */
export const makeAxis = (row: CompareRow, format: (value: number) => string, log = false): Axis => axisOf(axisId(row), row.key, row.values, format, log);

const LETTERS = { param: 'p', metric: 'm', tag: 't', attribute: 'a' } as const;
const ATTRIBUTES: Record<string, string> = { startedAt: 'started', durationMs: 'duration' };
/** The row as a column of the runs table: m:key, p:key, t:key, a:key. */
export const plotId = ({ kind, key }: CompareRow): string => `${LETTERS[kind]}:${kind === 'attribute' ? (ATTRIBUTES[key] ?? key) : key}`;

/** What a plot may draw: rows that differ, by kind. */
export function plotRows(rows: readonly CompareRow[]): { group: string; items: { value: string; label: string }[] }[] {
  const of = (kind: CompareRow['kind']) =>
    rows.filter((row) => row.kind === kind && row.differs).map((row) => ({ value: plotId(row), label: plotId(row).slice(2) }));
  return [
    { group: 'Metrics', items: of('metric') },
    { group: 'Params', items: of('param') },
    { group: 'Attributes', items: of('attribute') },
    { group: 'Tags', items: of('tag') },
  ];
}

/** Until somebody picks: the first param that differs against the first metric that does, or two metrics. */
export function plotDefaults(rows: readonly CompareRow[]): { x: string | undefined; y: string | undefined } {
  const first = (kind: CompareRow['kind']) => rows.filter((row) => row.kind === kind && row.differs).map(plotId);
  const metrics = first('metric');
  return { x: first('param')[0] ?? metrics[1] ?? 'a:started', y: metrics[0] ?? 'a:duration' };
}
