import type { EndpointDetail } from '@binnacle/contract';
import { Button, Group, Stack, Tabs, Text } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import { LIVE, useApi } from '../app/api.ts';
import type { EndpointSearch } from '../app/search.ts';
import { ConfigEditor } from '../features/serving/config-editor.tsx';
import { History } from '../features/serving/history.tsx';
import { Logs } from '../features/serving/logs.tsx';
import { Lifecycle } from '../features/serving/lifecycle.tsx';
import { VersionsTable } from '../features/serving/versions-table.tsx';
import { SpecTable } from '../features/registry/specs.tsx';
import { LiveStats } from '../features/serving/live-stats.tsx';
import { shownTab } from '../features/serving/tabs.ts';
import { TrafficEditor } from '../features/serving/traffic-editor.tsx';
import { TryIt } from '../features/serving/try-it.tsx';
import { useAction } from '../features/use-action.ts';
import { State, Time } from '../ui/bits.tsx';
import { Notice } from '../ui/notice.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { QueryView } from '../ui/states.tsx';

const TITLES: Partial<Record<EndpointDetail['state'], string>> = {
  degraded: 'The version that was asked for does not load; the old one serves on',
  unloaded: 'The endpoint is unloaded and answers no requests',
};

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
            {query.data.source === 'registry' ? (
              <Link to="/models/$model" params={{ model: query.data.model }} className="bn-link inline">
                {query.data.model}
              </Link>
            ) : (
              `${query.data.model} of the model repository`
            )}
            {query.data.description !== '' && <>: {query.data.description}</>}
          </>
        )
      }
      actions={
        <>
          {query.data !== undefined && <Lifecycle endpoint={query.data} />}
          {query.data !== undefined && (
            <Button variant="default" component={Link} {...({ to: '/monitoring/$endpoint', params: { endpoint } } as object)}>
              Monitoring
            </Button>
          )}
          {query.data?.source === 'registry' && (
            <Button
              variant="subtle"
              color="red"
              onClick={() => {
                if (confirm(`Stop serving ${endpoint}? Clients will get 404.`)) remove.mutate({ params: { endpoint } });
              }}
            >
              Delete
            </Button>
          )}
        </>
      }
    >
      <QueryView query={query} lines={8}>
        {(data) => (
          <>
            {data.state !== 'ready' && data.message !== '' && (
              <Notice tone={data.state === 'failed' ? 'bad' : 'warn'} title={TITLES[data.state] ?? `The endpoint is ${data.state}`}>
                {data.message}
              </Notice>
            )}
            <Tabs
              value={shownTab(search.tab, data.logged)}
              onChange={(tab) => void navigate({ search: (s) => ({ ...s, tab: tab === 'overview' ? undefined : (tab as EndpointSearch['tab']) }) })}
              keepMounted={false}
            >
              <Tabs.List mb="md">
                <Tabs.Tab value="overview">Overview</Tabs.Tab>
                <Tabs.Tab value="try">Try it</Tabs.Tab>
                <Tabs.Tab value="settings">Traffic and settings</Tabs.Tab>
                {data.logged.length > 0 && <Tabs.Tab value="log">Log</Tabs.Tab>}
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
                <Stack gap="md">
                  <Panel title="Traffic">
                    <TrafficEditor key={data.revision} endpoint={data} />
                  </Panel>
                  <History endpoint={data} />
                  <ConfigEditor key={`config ${data.revision}`} endpoint={data} />
                </Stack>
              </Tabs.Panel>
              {data.logged.length > 0 && (
                <Tabs.Panel value="log">
                  <Logs endpoint={data} />
                </Tabs.Panel>
              )}
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
      <VersionsTable endpoint={endpoint} />
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
