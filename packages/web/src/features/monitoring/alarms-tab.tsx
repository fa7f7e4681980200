import type { Alarm } from '@binnacle/contract';
import { Table, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { State, Time } from '../../ui/bits.tsx';
import { formatNumber, formatUtcDay } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { alarmKind } from './alarm-line.tsx';

/** Alarms with their state and history; a feature opens the window where it was seen last. */
export function AlarmTable({ alarms, withEndpoint = false, title = 'Alarms' }: { alarms: Alarm[]; withEndpoint?: boolean; title?: string }) {
  return (
    <Panel title={title} flush>
      {alarms.length === 0 ? (
        <Text c="dimmed" size="sm" p="md">
          No alarm was raised.
        </Text>
      ) : (
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>State</Table.Th>
              {withEndpoint && <Table.Th>Endpoint</Table.Th>}
              <Table.Th>Kind</Table.Th>
              <Table.Th>Feature</Table.Th>
              <Table.Th className="num">Figure</Table.Th>
              <Table.Th className="num">Threshold</Table.Th>
              <Table.Th>Windows (UTC)</Table.Th>
              <Table.Th>Raised</Table.Th>
              <Table.Th>Closed</Table.Th>
              <Table.Th>What</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {alarms.map((a) => (
              <Table.Tr key={a.id}>
                <Table.Td>
                  <State value={a.state} />
                  <Text size="xs" c="dimmed">
                    {a.severity}
                  </Text>
                </Table.Td>
                {withEndpoint && (
                  <Table.Td>
                    <Link to="/monitoring/$endpoint" params={{ endpoint: a.endpoint }} className="bn-link">
                      {a.endpoint}
                    </Link>
                  </Table.Td>
                )}
                <Table.Td className="nowrap">{alarmKind(a)}</Table.Td>
                <Table.Td className="break">
                  {a.feature === null ? (
                    '–'
                  ) : (
                    <Link
                      to="/monitoring/$endpoint"
                      params={{ endpoint: a.endpoint }}
                      search={{ tab: 'drift', feature: a.feature, window: a.lastWindow }}
                      className="bn-link"
                    >
                      {a.feature}
                    </Link>
                  )}
                </Table.Td>
                <Table.Td className="num">{formatNumber(a.value, 3)}</Table.Td>
                <Table.Td className="num">{formatNumber(a.threshold, 3)}</Table.Td>
                <Table.Td className="nowrap">
                  {formatUtcDay(a.firstWindow)}
                  {a.lastWindow !== a.firstWindow && <> – {formatUtcDay(a.lastWindow)}</>}
                </Table.Td>
                <Table.Td>
                  <Time at={a.raisedAt} ago />
                </Table.Td>
                <Table.Td>{a.closedAt === null ? '–' : <Time at={a.closedAt} ago />}</Table.Td>
                <Table.Td style={{ minWidth: 220 }} className="break">
                  {a.message}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Panel>
  );
}
