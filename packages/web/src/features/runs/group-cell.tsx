import { Text } from '@mantine/core';
import { Time } from '../../ui/bits.tsx';
import { formatDuration, formatNumber } from '../../ui/format.ts';
import { parseColumn } from './columns.ts';
import { commonValue, type RunGroup, spreadOf } from './groups.ts';

const Dim = ({ children }: { children: React.ReactNode }) => (
  <Text span c="dimmed" size="xs">
    {children}
  </Text>
);

/** A group's cell: mean ± sample standard deviation of a metric, else what its runs share. */
export function GroupCell({ group, id }: { group: RunGroup; id: string }) {
  const column = parseColumn(id);
  if (column?.kind === 'm') {
    const spread = spreadOf(group.runs, column.key);
    if (spread === undefined) return <Dim>–</Dim>;
    const title = `mean ${spread.mean} of ${spread.count} of ${group.runs.length} runs, ${spread.deviation === undefined ? 'no spread' : `standard deviation ${spread.deviation}`}, from ${spread.min} to ${spread.max}`;
    return (
      <span title={title}>
        <strong style={{ fontWeight: 600 }}>{formatNumber(spread.mean, 4)}</strong>
        {spread.deviation !== undefined && <Dim> ± {formatNumber(spread.deviation, 2)}</Dim>}
      </span>
    );
  }
  const common = commonValue(group.runs, id);
  if ('many' in common) return <Dim>{common.many} values</Dim>;
  const { value } = common;
  if (value === undefined || value === null || value === '') return <Dim>–</Dim>;
  if (id === 'a:started') return <Time at={value as number} ago />;
  if (id === 'a:duration') return <span>{formatDuration(value as number)}</span>;
  return <span title={String(value)}>{id === 'a:status' ? String(value).toLowerCase() : value}</span>;
}

/** "model = boosted, depth = 6". */
export const groupName = (group: RunGroup, by: string[]): string =>
  group.values.map((value, i) => `${parseColumn(by[i] ?? '')?.key ?? ''} ${value === undefined ? 'not set' : `= ${value === '' ? "''" : value}`}`).join(', ');
