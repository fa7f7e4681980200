import './compare-table.css';
import { Button, Group, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { State, Time } from '../../ui/bits.tsx';
import { formatDuration, formatNumber, formatTime } from '../../ui/format.ts';
import type { Comparison, CompareRow } from './rows.ts';

const KIND = { param: 'param', metric: 'metric', tag: 'tag', attribute: '' } as const;
const ATTRIBUTES: Record<string, string> = { durationMs: 'duration', startedAt: 'started', endedAt: 'ended', experimentId: 'experiment id' };
const ROW = 33;
const HEAD = 80;
const COLUMN = 160;

function show(row: CompareRow, value: string | number | null): string {
  if (value === null) return '–';
  if (row.kind === 'metric') return formatNumber(value);
  if (row.kind === 'attribute' && typeof value === 'number')
    return row.key.startsWith('duration') ? formatDuration(value) : row.key.endsWith('At') ? formatTime(value) : formatNumber(value);
  return String(value);
}

/** Runs side by side. Rows and columns are both virtual: 200 runs with thousands of rows are as quick as two with ten. */
export function CompareTable({ data, rows, onRemove }: { data: Comparison; rows: CompareRow[]; onRemove: (id: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const narrow = useMediaQuery('(max-width: 48em)');
  const keyWidth = narrow ? 140 : 260;
  const rowView = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 10 });
  const columnView = useVirtualizer({
    horizontal: true,
    count: data.runs.length,
    getScrollElement: () => box.current,
    estimateSize: () => COLUMN,
    overscan: 3,
  });
  const visible = rowView.getVirtualItems();
  const columns = columnView.getVirtualItems();
  const before = columns[0]?.start ?? 0;
  const after = columnView.getTotalSize() - (columns[columns.length - 1]?.end ?? 0);
  const above = visible[0]?.start ?? 0;
  const below = rowView.getTotalSize() - (visible[visible.length - 1]?.end ?? 0);
  const gap = (width: number) => (width > 0 ? <td className="ct-gap" aria-hidden style={{ width }} /> : null);

  return (
    <>
      <div ref={box} className="ct" style={{ maxHeight: `min(70dvh, ${rows.length * ROW + HEAD + 20}px)` }} tabIndex={0} role="group" aria-label="Comparison">
        <table
          aria-label="Runs side by side"
          aria-rowcount={rows.length + 1}
          aria-colcount={data.runs.length + 1}
          style={{ width: keyWidth + columnView.getTotalSize() }}
        >
          <thead>
            <tr aria-rowindex={1} style={{ height: HEAD }}>
              <th scope="col" className="ct-key" style={{ width: keyWidth }}>
                Key
              </th>
              {gap(before)}
              {columns.map(({ index: i }) => {
                const run = data.runs[i];
                if (run === undefined) return null;
                return (
                  <th key={run.id} scope="col" aria-colindex={i + 2} style={{ width: COLUMN }}>
                    <span style={{ display: 'block', borderTop: `3px solid var(--bn-s${(i % 8) + 1})`, paddingTop: 4 }} className="clip">
                      <Link to="/runs/$runId" params={{ runId: run.id }} className="bn-link" title={run.name}>
                        {run.name || run.id}
                      </Link>
                    </span>
                    <Group gap={8} wrap="nowrap" fw={400}>
                      <State value={run.status} />
                      <Time at={run.startedAt} ago />
                    </Group>
                    {data.runs.length > 1 && (
                      <Button variant="subtle" color="gray" size="compact-xs" onClick={() => onRemove(run.id)} aria-label={`Leave ${run.name} out`}>
                        Leave out
                      </Button>
                    )}
                  </th>
                );
              })}
              {gap(after)}
            </tr>
          </thead>
          <tbody>
            {above > 0 && <tr aria-hidden style={{ height: above }} />}
            {visible.map((item) => {
              const row = rows[item.index];
              if (row === undefined) return null;
              return (
                <tr key={`${row.kind}:${row.key}`} aria-rowindex={item.index + 2} data-differs={row.differs} style={{ height: ROW }}>
                  <th scope="row" className="ct-key">
                    <span className="clip" title={row.key}>
                      {row.differs && (
                        <span title="differs" style={{ color: 'var(--bn-s2)' }}>
                          ≠{' '}
                        </span>
                      )}
                      {row.kind === 'attribute' ? (ATTRIBUTES[row.key] ?? row.key) : row.key}
                      {KIND[row.kind] !== '' && (
                        <Text span size="xs" c="dimmed" fw={400}>
                          {' '}
                          {KIND[row.kind]}
                        </Text>
                      )}
                    </span>
                  </th>
                  {gap(before)}
                  {columns.map(({ index: i }) => {
                    const value = row.values[i] ?? null;
                    return (
                      <td
                        key={data.runs[i]?.id ?? i}
                        aria-colindex={i + 2}
                        style={{ fontWeight: row.differs ? 500 : 400, color: value === null || !row.differs ? 'var(--bn-muted)' : undefined }}
                        title={value === null ? 'not logged' : String(value)}
                      >
                        <span className="clip">{show(row, value)}</span>
                      </td>
                    );
                  })}
                  {gap(after)}
                </tr>
              );
            })}
            {below > 0 && <tr aria-hidden style={{ height: below }} />}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && (
        <Text c="dimmed" size="sm" p="md">
          {data.rows.length === 0 ? 'These runs logged nothing.' : 'No row matches.'}
        </Text>
      )}
    </>
  );
}
