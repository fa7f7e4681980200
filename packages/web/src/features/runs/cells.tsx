import type { RunRow } from '@binnacle/contract';
import { Text } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { Time } from '../../ui/bits.tsx';
import { formatDuration, formatNumber } from '../../ui/format.ts';
import { cellValue, nextSort, orderKey, parseColumn } from './columns.ts';

export const isRight = (id: string): boolean => id.startsWith('m:') || id === 'a:duration';

/** A run's value in a column. */
export function Cell({ run, id }: { run: RunRow; id: string }) {
  const column = parseColumn(id);
  if (column === undefined) return null;
  const value = cellValue(run, column);
  if (value === null || value === undefined || value === '')
    return (
      <Text span c="dimmed" size="xs">
        –
      </Text>
    );
  if (id === 'a:started') return <Time at={value as number} ago />;
  if (id === 'a:duration') return <span>{formatDuration(value as number)}</span>;
  if (id === 'a:status') return <span>{String(value).toLowerCase()}</span>;
  if (column.kind === 'm') return <span title={String(value)}>{formatNumber(value)}</span>;
  return <span title={String(value)}>{value}</span>;
}

export function directionOf(id: string, sort: string | undefined): 'ascending' | 'descending' | 'none' {
  const key = orderKey(id);
  return key !== undefined && sort === `${key} DESC` ? 'descending' : key !== undefined && sort === `${key} ASC` ? 'ascending' : 'none';
}

export function SortButton({ id, label, sort, onSort }: { id: string; label: string; sort: string | undefined; onSort: (sort: string | undefined) => void }) {
  const direction = directionOf(id, sort);
  const sortable = orderKey(id) !== undefined;
  return (
    <button
      type="button"
      className="rt-sort"
      onClick={() => onSort(nextSort(id, sort))}
      disabled={!sortable}
      title={`${label}${sortable ? ' (click to sort)' : ''}`}
    >
      <span>{label}</span>
      {direction === 'descending' && <IconArrowDown size={13} aria-hidden style={{ flex: 'none' }} />}
      {direction === 'ascending' && <IconArrowUp size={13} aria-hidden style={{ flex: 'none' }} />}
    </button>
  );
}
