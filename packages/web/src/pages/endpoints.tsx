import { Button, Table, Text } from '@mantine/core';
import { IconPlugConnected, IconPlus } from '@tabler/icons-react';
import { getRouteApi, Link } from '@tanstack/react-router';
import { LIVE, useApi } from '../app/api.ts';
import { DeployDialog } from '../features/serving/deploy-dialog.tsx';
import { deploySnippets } from '../features/snippets/index.ts';
import { useServer } from '../features/snippets/use-server.ts';
import { State } from '../ui/bits.tsx';
import { EmptyState } from '../ui/empty.tsx';
import { formatCompact, formatDuration, formatNumber } from '../ui/format.ts';
import { Page, Panel } from '../ui/page.tsx';
import { QueryView } from '../ui/states.tsx';

const route = getRouteApi('/endpoints');

export function EndpointsPage() {
  const server = useServer();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const list = useApi('listEndpoints', undefined, { refetchInterval: LIVE.normal });
  return (
    <Page
      title="Endpoints"
      actions={
        <Button leftSection={<IconPlus size={15} aria-hidden />} onClick={() => void navigate({ search: { deploy: true } })}>
          Deploy
        </Button>
      }
    >
      <QueryView query={list}>
        {({ endpoints }) =>
          endpoints.length === 0 ? (
            <EmptyState icon={<IconPlugConnected size={30} />} title="Deploy the first endpoint" snippets={deploySnippets(server)}>
              An endpoint serves one registered model under a name, over Open Inference and MLflow scoring. Its traffic can follow an alias and be split between
              versions.
            </EmptyState>
          ) : (
            <Panel title="All endpoints" flush>
              <Table highlightOnHover>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Endpoint</Table.Th>
                    <Table.Th>State</Table.Th>
                    <Table.Th>Model</Table.Th>
                    <Table.Th>Traffic</Table.Th>
                    <Table.Th className="num">Requests/s</Table.Th>
                    <Table.Th className="num">p50</Table.Th>
                    <Table.Th className="num">p99</Table.Th>
                    <Table.Th className="num hide-narrow">Requests</Table.Th>
                    <Table.Th className="num">Errors</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {endpoints.map((e) => (
                    <Table.Tr key={e.name}>
                      <Table.Td className="break">
                        <Link to="/endpoints/$endpoint" params={{ endpoint: e.name }} className="bn-link">
                          {e.name}
                        </Link>
                      </Table.Td>
                      <Table.Td>
                        <State value={e.state} />
                        {e.message !== '' && e.state !== 'ready' && (
                          <Text size="xs" c="dimmed" lineClamp={2} title={e.message}>
                            {e.message}
                          </Text>
                        )}
                      </Table.Td>
                      <Table.Td className="break">
                        <Link to="/models/$model" params={{ model: e.model }} className="bn-link">
                          {e.model}
                        </Link>
                      </Table.Td>
                      <Table.Td>
                        {e.traffic.map((t) => (
                          <div key={t.alias ?? t.version} className="nowrap">
                            {t.alias === undefined ? `v${t.version}` : `@${t.alias}`}{' '}
                            <Text span size="xs" c="dimmed">
                              {t.shadow ? 'shadow' : `${t.weight}%`}
                            </Text>
                          </div>
                        ))}
                      </Table.Td>
                      <Table.Td className="num">{formatNumber(e.stats.requestsPerSecond, 3)}</Table.Td>
                      <Table.Td className="num">{formatDuration(e.stats.p50Ms)}</Table.Td>
                      <Table.Td className="num">{formatDuration(e.stats.p99Ms)}</Table.Td>
                      <Table.Td className="num hide-narrow">{formatCompact(e.stats.requests)}</Table.Td>
                      <Table.Td className="num" style={e.stats.errors > 0 ? { color: 'var(--bn-bad)' } : undefined}>
                        {formatCompact(e.stats.errors)}
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Panel>
          )
        }
      </QueryView>
      {search.deploy === true && <DeployDialog model={search.model} onClose={() => void navigate({ search: {} })} />}
    </Page>
  );
}
