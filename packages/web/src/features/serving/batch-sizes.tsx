import type { OperationResponse, servingOperations } from '@binnacle/contract';
import { Table, Text } from '@mantine/core';
import { formatDuration, formatInt } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';

type Stats = OperationResponse<(typeof servingOperations)['getEndpointStats']>;

/** How many rows ran together, how often, and how long such a run took. */
export function BatchSizes({ stats }: { stats: Stats }) {
  const rows = stats.byVersion.flatMap(({ version, shadow, batches }) => batches.map((batch) => ({ version, shadow, ...batch })));
  if (rows.length === 0) return null;
  const most = Math.max(...rows.map(({ runs }) => runs));
  return (
    <Panel title="Rows run together" flush>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Version</Table.Th>
            <Table.Th className="num">Rows</Table.Th>
            <Table.Th className="num">Runs</Table.Th>
            <Table.Th style={{ width: '40%', minWidth: 64 }} aria-hidden />
            <Table.Th className="num" style={{ whiteSpace: 'normal' }}>
              A run in the model
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.slice(0, 40).map(({ version, shadow, rows: size, runs, meanMicros }) => (
            <Table.Tr key={`${version}${shadow}${size}`}>
              <Table.Td>
                v{version}
                {shadow ? ' shadow' : ''}
              </Table.Td>
              <Table.Td className="num">{formatInt(size)}</Table.Td>
              <Table.Td className="num">{formatInt(runs)}</Table.Td>
              <Table.Td aria-hidden>
                <div style={{ height: 8, borderRadius: 4, background: 'var(--bn-s1)', width: `${Math.max(1, (runs / most) * 100)}%` }} />
              </Table.Td>
              <Table.Td className="num nowrap">{formatDuration(meanMicros / 1000)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {rows.length > 40 && (
        <Text size="xs" c="dimmed" p="xs">
          and {rows.length - 40} more sizes
        </Text>
      )}
    </Panel>
  );
}

const WORDS: Record<string, string> = {
  queue_full: 'queue full',
  queue_timeout: 'waited too long',
  cancelled: 'cancelled by the client',
  rate_limited: 'over the rate limit',
  concurrency_limited: 'over the concurrency limit',
};

/** Why requests were refused or failed, since the start. */
export function Refusals({ failures }: { failures: Record<string, number> }) {
  const rows = Object.entries(failures).sort(([, a], [, b]) => b - a);
  if (rows.length === 0) return null;
  return (
    <Panel title="Refused and failed" flush>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Why</Table.Th>
            <Table.Th className="num">Requests</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([code, count]) => (
            <Table.Tr key={code}>
              <Table.Td>
                {WORDS[code] ?? code.replaceAll('_', ' ')} <code>{code}</code>
              </Table.Td>
              <Table.Td className="num">{formatInt(count)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Panel>
  );
}
