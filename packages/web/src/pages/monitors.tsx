import { Stack, Table, Text } from '@mantine/core';
import { IconBell } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { LIVE, useApi } from '../app/api.ts';
import { AlarmTable } from '../features/monitoring/alarms-tab.tsx';
import { deploySnippets } from '../features/snippets/index.ts';
import { useServer } from '../features/snippets/use-server.ts';
import { Time } from '../ui/bits.tsx';
import { EmptyState } from '../ui/empty.tsx';
import { formatCompact, formatInt, formatPercent } from '../ui/format.ts';
import { Page, Panel } from '../ui/page.tsx';
import { QueryView } from '../ui/states.tsx';

export function MonitorsPage() {
  const server = useServer();
  const list = useApi('listMonitors', undefined, { refetchInterval: LIVE.normal });
  const alarms = useApi('listAlarms', { query: { state: 'all', limit: 200 } }, { refetchInterval: LIVE.normal });
  return (
    <Page title="Monitoring">
      <QueryView query={list}>
        {({ monitors }) =>
          monitors.length === 0 ? (
            <EmptyState icon={<IconBell size={30} />} title="Nothing to watch yet" snippets={deploySnippets(server)}>
              Every endpoint and every batch job is monitored from its first prediction: counts, latency, errors, the distributions of features and predictions
              against training, and quality once the truth is known.
            </EmptyState>
          ) : (
            <Stack gap="md">
              <Panel title="Monitors" flush>
                <Table highlightOnHover>
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>Endpoint</Table.Th>
                      <Table.Th>Open alarms</Table.Th>
                      <Table.Th>Drifted features</Table.Th>
                      <Table.Th className="num">Last day of traffic</Table.Th>
                      <Table.Th className="num">Predictions</Table.Th>
                      <Table.Th className="num">Errors</Table.Th>
                      <Table.Th className="num">With truth</Table.Th>
                      <Table.Th>Newest event</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {monitors.map((m) => (
                      <Table.Tr key={m.endpoint}>
                        <Table.Td className="break">
                          <Link to="/monitoring/$endpoint" params={{ endpoint: m.endpoint }} className="bn-link">
                            {m.endpoint}
                          </Link>
                          <br />
                          <Text span size="xs" c="dimmed">
                            {m.model}
                          </Text>
                        </Table.Td>
                        <Table.Td style={m.openAlarms > 0 ? { color: 'var(--bn-bad)', fontWeight: 600 } : undefined}>
                          {m.openAlarms === 0 ? (
                            'none'
                          ) : (
                            <Link
                              to="/monitoring/$endpoint"
                              params={{ endpoint: m.endpoint }}
                              search={{ tab: 'alarms' }}
                              className="bn-link"
                              style={{ color: 'inherit' }}
                            >
                              {m.openAlarms} open
                            </Link>
                          )}
                        </Table.Td>
                        <Table.Td className="break">
                          {m.driftedFeatures.length > 0 ? (
                            m.driftedFeatures.join(', ')
                          ) : m.hasBaseline ? (
                            'none'
                          ) : (
                            <Text span c="dimmed" size="sm">
                              no baseline
                            </Text>
                          )}
                        </Table.Td>
                        <Table.Td className="num">{formatInt(m.predictionsLastDay)}</Table.Td>
                        <Table.Td className="num">{formatCompact(m.predictions)}</Table.Td>
                        <Table.Td className="num">{formatCompact(m.errors)}</Table.Td>
                        <Table.Td className="num">{m.predictions > 0 ? formatPercent(m.labelled / m.predictions, 0) : '–'}</Table.Td>
                        <Table.Td>
                          <Time at={m.lastPredictionAt} />
                        </Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              </Panel>
              <QueryView query={alarms} lines={3}>
                {(data) => <AlarmTable alarms={data.alarms} withEndpoint />}
              </QueryView>
            </Stack>
          )
        }
      </QueryView>
    </Page>
  );
}
