import type { EndpointDetail } from '@binnacle/contract';
import { Button, Table, Text, VisuallyHidden } from '@mantine/core';
import { LIVE, useApi } from '../../app/api.ts';
import { State, Time } from '../../ui/bits.tsx';
import { Panel } from '../../ui/page.tsx';
import { QueryView } from '../../ui/states.tsx';
import { useAction } from '../use-action.ts';
import { trafficText } from './traffic.ts';

/** What the endpoint served since when, why it changed, and the way back. */
export function History({ endpoint }: { endpoint: EndpointDetail }) {
  const query = useApi('listEndpointChanges', { params: { endpoint: endpoint.name }, query: { limit: 50 } }, { refetchInterval: LIVE.normal });
  const back = useAction('rollBackEndpoint', { notifyError: true, done: 'Serving it again' });
  const now = JSON.stringify(endpoint.traffic);
  return (
    <Panel title="History" flush>
      <QueryView query={query} lines={4}>
        {({ changes }) => (
          <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label="History">
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th className="num">Revision</Table.Th>
                  <Table.Th>When</Table.Th>
                  <Table.Th>What</Table.Th>
                  <Table.Th>Traffic</Table.Th>
                  <Table.Th>Why</Table.Th>
                  <Table.Th>
                    <VisuallyHidden>Serve it again</VisuallyHidden>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {changes.map(({ revision, kind, reason, traffic, at }) => (
                  <Table.Tr key={revision}>
                    <Table.Td className="num">{revision}</Table.Td>
                    <Table.Td>
                      <Time at={at} ago />
                    </Table.Td>
                    <Table.Td className="nowrap">
                      <State value={kind} />
                    </Table.Td>
                    <Table.Td style={{ minWidth: 180 }}>{trafficText(traffic)}</Table.Td>
                    <Table.Td className="break">
                      <Text size="sm" maw={460}>
                        {reason || '–'}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      {JSON.stringify(traffic) !== now && endpoint.source === 'registry' && (
                        <Button
                          size="compact-xs"
                          variant="default"
                          loading={back.isPending}
                          onClick={() => back.mutate({ params: { endpoint: endpoint.name }, body: { revision } })}
                        >
                          Serve this again
                        </Button>
                      )}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </QueryView>
    </Panel>
  );
}
