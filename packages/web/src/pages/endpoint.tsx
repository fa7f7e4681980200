import type { EndpointDetail } from '@binnacle/contract';
import { Button, Group, Stack, Table, Tabs, Text } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import { LIVE, useApi } from '../app/api.ts';
import type { EndpointSearch } from '../app/search.ts';
import { SpecTable } from '../features/registry/specs.tsx';
import { LiveStats } from '../features/serving/live-stats.tsx';
import { TrafficEditor } from '../features/serving/traffic-editor.tsx';
import { TryIt } from '../features/serving/try-it.tsx';
import { useAction } from '../features/use-action.ts';
import { State, Time } from '../ui/bits.tsx';
import { formatDuration, formatPercent } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { QueryView } from '../ui/states.tsx';

const route = getRouteApi('/endpoints/$endpoint');

export function EndpointPage() {
  const { endpoint } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useApi('getEndpoint', { params: { endpoint } }, { refetchInterval: LIVE.normal });
  const remove = useAction('deleteEndpoint', { notifyError: true, done: `${endpoint} is gone`, onSuccess: () => void navigate({ to: '/endpoints' }) });
  return (
    <Page
      title={endpoint}
      crumbs={[{ label: 'Endpoints', link: { to: '/endpoints' } }, { label: endpoint }]}
      badge={query.data !== undefined && <State value={query.data.state} />}
      description={
        query.data !== undefined && (
          <>
            Serves{' '}
            <Link to="/models/$model" params={{ model: query.data.model }} className="bn-link inline">
              {query.data.model}
            </Link>
            {query.data.description !== '' && <>: {query.data.description}</>}
          </>
        )
      }
      actions={
        <>
          <Button variant="default" component={Link} {...({ to: '/monitoring/$endpoint', params: { endpoint } } as object)}>
            Monitoring
          </Button>
          <Button
            variant="subtle"
            color="red"
            onClick={() => {
              if (confirm(`Stop serving ${endpoint}? Clients will get 404.`)) remove.mutate({ params: { endpoint } });
            }}
          >
            Delete
          </Button>
        </>
      }
    >
      <QueryView query={query} lines={8}>
        {(data) => (
          <>
            {data.state !== 'ready' && data.message !== '' && (
              <Notice
                tone={data.state === 'failed' ? 'bad' : 'warn'}
                title={data.state === 'degraded' ? 'The version that was asked for does not load; the old one serves on' : `The endpoint is ${data.state}`}
              >
                {data.message}
              </Notice>
            )}
            <Tabs
              value={search.tab ?? 'overview'}
              onChange={(tab) => void navigate({ search: (s) => ({ ...s, tab: tab === 'overview' ? undefined : (tab as EndpointSearch['tab']) }) })}
              keepMounted={false}
            >
              <Tabs.List mb="md">
                <Tabs.Tab value="overview">Overview</Tabs.Tab>
                <Tabs.Tab value="try">Try it</Tabs.Tab>
                <Tabs.Tab value="settings">Traffic</Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value="overview">
                <Overview endpoint={data} />
              </Tabs.Panel>
              <Tabs.Panel value="try">
                <TryIt
                  endpoint={data}
                  protocol={search.protocol ?? 'invocations'}
                  onProtocol={(p) => void navigate({ search: (s) => ({ ...s, protocol: p === 'invocations' ? undefined : p }), replace: true })}
                />
              </Tabs.Panel>
              <Tabs.Panel value="settings">
                <Panel title="Traffic">
                  <TrafficEditor key={data.revision} endpoint={data} />
                </Panel>
              </Tabs.Panel>
            </Tabs>
          </>
        )}
      </QueryView>
    </Page>
  );
}

function Overview({ endpoint }: { endpoint: EndpointDetail }) {
  return (
    <Stack gap="md">
      <LiveStats endpoint={endpoint.name} />
      <Panel title="Served versions" flush>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Version</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Aliases</Table.Th>
              <Table.Th className="num">Share</Table.Th>
              <Table.Th>Runs in</Table.Th>
              <Table.Th className="num">One run</Table.Th>
              <Table.Th>Loaded</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {endpoint.versions.map((v) => (
              <Table.Tr key={`${v.version}${v.shadow}`}>
                <Table.Td>
                  <Link to="/models/$model/versions/$version" params={{ model: endpoint.model, version: String(v.version) }} className="bn-link">
                    Version {v.version}
                  </Link>
                </Table.Td>
                <Table.Td>
                  <State value={v.state} />
                  {v.error !== null && (
                    <Text size="xs" c="var(--bn-bad)" className="break" maw={420}>
                      {v.error}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>{v.aliases.join(', ') || '–'}</Table.Td>
                <Table.Td className="num">{v.shadow ? 'shadow' : formatPercent(v.weight / 100)}</Table.Td>
                <Table.Td>{v.tier === null ? '–' : v.tier === 'inline' ? 'event loop' : 'worker threads'}</Table.Td>
                <Table.Td className="num">{v.runMicros === null ? '–' : formatDuration(v.runMicros / 1000)}</Table.Td>
                <Table.Td>
                  <Time at={v.loadedAt} ago />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Panel>
      <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(400px, 100%), 1fr))', gap: 14, alignItems: 'start' }}>
        {endpoint.signature !== null && (
          <Panel title="Signature" flush>
            <SpecTable title="Input" specs={endpoint.signature.inputs} />
            <SpecTable title="Output" specs={endpoint.signature.outputs} />
          </Panel>
        )}
        {endpoint.tensors !== null && (
          <Panel title="Tensors (Open Inference)" flush>
            <SpecTable title="Input" specs={endpoint.tensors.inputs} />
            <SpecTable title="Output" specs={endpoint.tensors.outputs} />
          </Panel>
        )}
      </div>
      <Group>
        <Text size="xs" c="dimmed" component="div">
          Revision {endpoint.revision}, changed <Time at={endpoint.updatedAt} ago />, created <Time at={endpoint.createdAt} />
        </Text>
      </Group>
    </Stack>
  );
}
