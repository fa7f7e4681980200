import type { CallResult } from '@binnacle/sdk';
import type { Axis } from '../../charts/parallel.tsx';
import { toNumber } from '../../ui/format.ts';

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

/** A numeric axis where every value is a number, else one place for each text, in order of first sight. */
export function makeAxis(row: CompareRow, format: (value: number) => string): Axis {
  const numbers = row.values.map((value) =>
    value === null
      ? null
      : typeof value === 'number'
        ? value
        : value.trim() === ''
          ? Number.NaN
          : Number.isFinite(toNumber(value))
            ? toNumber(value)
            : Number(value),
  );
  const finite = numbers.filter((v): v is number => v !== null && Number.isFinite(v));
  const label = row.key;
  if (finite.length > 0 && row.values.every((value, i) => value === null || value === 'NaN' || Number.isFinite(numbers[i] as number))) {
    const low = Math.min(...finite);
    const high = Math.max(...finite);
    const span = high - low;
    const place = (v: number) => (span === 0 ? 0.5 : (v - low) / span);
    const ticks = span === 0 ? [{ at: 0.5, label: format(low) }] : [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, label: format(low + at * span) }));
    return { id: axisId(row), label, positions: numbers.map((v) => (v === null || !Number.isFinite(v) ? null : place(v))), ticks };
  }
  const words = [...new Set(row.values.filter((v) => v !== null).map(String))];
  const place = (word: string) => (words.length === 1 ? 0.5 : words.indexOf(word) / (words.length - 1));
  return {
    id: axisId(row),
    label,
    positions: row.values.map((v) => (v === null ? null : place(String(v)))),
    ticks: words.slice(0, 30).map((word) => ({ at: place(word), label: word })),
  };
}
