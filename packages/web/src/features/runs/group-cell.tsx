import type { RunGroup } from '@binnacle/contract';
import { Text } from '@mantine/core';
import { Time } from '../../ui/bits.tsx';
import { formatNumber, formatTime, toNumber } from '../../ui/format.ts';
import { parseColumn } from './columns.ts';

const Dim = ({ children }: { children: React.ReactNode }) => (
  <Text span c="dimmed" size="xs">
    {children}
  </Text>
);
const SHARED = { p: 'params', t: 'tags', a: 'attributes' } as const;

/** A group's cell: mean ± sample standard deviation of a metric, else what its runs share. `by`: what the groups are of. */
export function GroupCell({ group, id, by }: { group: RunGroup; id: string; by: readonly string[] }) {
  const column = parseColumn(id);
  if (column === undefined) return null;
  if (column.kind === 'm') return <SpreadCell group={group} metric={column.key} />;
  if (id === 'a:started')
    return (
      <span title={`from ${formatTime(group.startedFrom)} to ${formatTime(group.startedTo)}`}>
        <Time at={group.startedTo} ago />
      </span>
    );
  const at = by.indexOf(id);
  const own = at < 0 ? group[SHARED[column.kind]][column.key] : { values: 1, value: group.values[at] ?? null };
  if (own === undefined) return <Dim>–</Dim>;
  if (own.values > 1) return <Dim>{own.values} values</Dim>;
  if (own.value === null || own.value === '') return <Dim>–</Dim>;
  const text = own.value.replaceAll('\n', ', ');
  return <span title={text}>{id === 'a:status' ? text.toLowerCase() : text}</span>;
}

function SpreadCell({ group, metric }: { group: RunGroup; metric: string }) {
  const spread = Object.hasOwn(group.metrics, metric) ? group.metrics[metric] : undefined;
  if (spread === undefined) return <Dim>–</Dim>;
  const { mean, deviation } = spread;
  const title = `mean ${mean} of ${spread.count} of ${group.runs} runs, ${deviation === null ? 'no spread' : `standard deviation ${deviation}`}, from ${spread.min} to ${spread.max}`;
  return (
    <span title={title}>
      <strong style={{ fontWeight: 600 }}>{formatNumber(toNumber(mean), 4)}</strong>
      {deviation !== null && <Dim> ± {formatNumber(toNumber(deviation), 2)}</Dim>}
    </span>
  );
}
