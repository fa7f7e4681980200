import type { BatchJob, Endpoint, MonitorSummary, RunRow } from '@binnacle/contract';
import { Anchor, Group, Progress, Table, Text } from '@mantine/core';
import { IconBellRinging, IconCompass } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { client, LIVE, useApi } from '../app/api.ts';
import { AlarmLine } from '../features/monitoring/alarm-line.tsx';
import { trackingSnippets } from '../features/snippets/index.ts';
import { useServer } from '../features/snippets/use-server.ts';
import { State, Time } from '../ui/bits.tsx';
import { Elapsed } from '../ui/elapsed.tsx';
import { EmptyState } from '../ui/empty.tsx';
import { formatCompact, formatDuration, formatInt, formatNumber } from '../ui/format.ts';
import { Notice } from '../ui/notice.tsx';
import { Page, Panel, Stats } from '../ui/page.tsx';
import { ErrorState, Loading, QueryView } from '../ui/states.tsx';

const grid = { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(460px, 100%), 1fr))', gap: 14, alignItems: 'start' } as const;

/** What the models did: counts, alarms, endpoints, and the latest runs and jobs. */
export function HomePage() {
  const server = useServer();
  const info = useApi('getInfo', undefined, { refetchInterval: LIVE.normal });
  const endpoints = useApi('listEndpoints', undefined, { refetchInterval: LIVE.normal });
  const monitors = useApi('listMonitors', undefined, { refetchInterval: LIVE.slow });
  const alarms = useApi('listAlarms', { query: { state: 'all', limit: 20 } }, { refetchInterval: LIVE.slow });
  const open = alarms.data?.alarms.filter((a) => a.state === 'open') ?? [];
  const closed = alarms.data?.alarms.filter((a) => a.state === 'closed').slice(0, 5) ?? [];
  const jobs = useApi('listBatchJobs', { query: { limit: 6 } }, { refetchInterval: LIVE.normal });
  const runs = useLatestRuns();
  const counts = info.data?.counts;
  const empty = counts !== undefined && counts.runs === 0 && counts.models === 0 && counts.endpoints === 0 && counts.batchJobs === 0;

  return (
    <Page
      title="Overview"
      description={
        info.data === undefined ? undefined : (
          <>
            Up for {formatDuration(info.data.uptimeSeconds * 1000)}, data in <code>{info.data.dataDir}</code>
          </>
        )
      }
    >
      {info.isError && info.data === undefined && <ErrorState error={info.error} retry={info.refetch} />}
      {empty && (
        <EmptyState icon={<IconCompass size={32} />} title="Binnacle is ready and empty" snippets={trackingSnippets(server)}>
          Log a run, register its model, deploy it, and it is monitored from the first request. To see every page filled with a real model on three million
          flights, run <code>npm run demo</code> in a clone, or <code>npm install vega-datasets</code> and <code>npx binnacle demo</code> in a folder of its
          own.
        </EmptyState>
      )}
      {!empty && (
        <>
          <Panel>
            {counts === undefined ? (
              <Loading lines={2} />
            ) : (
              <Stats
                items={[
                  {
                    label: 'Open alarms',
                    value: formatInt(counts.openAlarms),
                    tone: counts.openAlarms > 0 ? 'bad' : 'good',
                    hint: (
                      <Link to="/monitoring" className="bn-link">
                        Monitoring
                      </Link>
                    ),
                  },
                  {
                    label: 'Endpoints',
                    value: formatInt(counts.endpoints),
                    hint: endpoints.data === undefined ? undefined : <EndpointHint endpoints={endpoints.data.endpoints} />,
                  },
                  {
                    label: 'Predictions, last day of traffic',
                    value: formatCompact(monitors.data?.monitors.reduce((n, m) => n + m.predictionsLastDay, 0)),
                    hint: monitors.data === undefined ? undefined : `${formatCompact(monitors.data.monitors.reduce((n, m) => n + m.predictions, 0))} in all`,
                  },
                  {
                    label: 'Runs',
                    value: formatInt(counts.runs),
                    hint: (
                      <Link to="/experiments" className="bn-link">
                        {formatInt(counts.experiments)} experiments
                      </Link>
                    ),
                  },
                  {
                    label: 'Models',
                    value: formatInt(counts.models),
                    hint: (
                      <Link to="/models" className="bn-link">
                        Registry
                      </Link>
                    ),
                  },
                  {
                    label: 'Batch jobs',
                    value: formatInt(counts.batchJobs),
                    hint: (
                      <Link to="/batch" className="bn-link">
                        All jobs
                      </Link>
                    ),
                  },
                ]}
              />
            )}
          </Panel>
          {open.length > 0 && (
            <Notice tone="bad" icon={<IconBellRinging size={18} />} title={`${open.length} open ${open.length === 1 ? 'alarm' : 'alarms'}`}>
              {open.map((alarm) => (
                <AlarmLine key={alarm.id} alarm={alarm} withEndpoint />
              ))}
            </Notice>
          )}
          <div style={grid}>
            <div style={{ display: 'grid', gap: 14, minWidth: 0 }}>
              <Panel title="Endpoints" flush>
                <QueryView query={endpoints}>{(data) => <Endpoints endpoints={data.endpoints} monitors={monitors.data?.monitors ?? []} />}</QueryView>
              </Panel>
              <Panel title="Latest batch jobs" flush>
                <QueryView query={jobs}>{(data) => <Jobs jobs={data.jobs} />}</QueryView>
              </Panel>
              {closed.length > 0 && (
                <Panel title="Alarms that passed">
                  {closed.map((alarm) => (
                    <AlarmLine key={alarm.id} alarm={alarm} withEndpoint />
                  ))}
                </Panel>
              )}
            </div>
            <Panel title="Latest runs" flush>
              {runs.isError ? (
                <ErrorState error={runs.error} retry={runs.refetch} compact />
              ) : runs.data === undefined ? (
                <Loading />
              ) : (
                <Runs runs={runs.data} />
              )}
            </Panel>
          </div>
        </>
      )}
    </Page>
  );
}

function useLatestRuns() {
  return useQuery({
    queryKey: ['latestRuns'],
    queryFn: async ({ signal }) => {
      const { experiments } = await client.call('listExperiments', { query: { limit: 50 }, signal });
      if (experiments.length === 0) return [];
      const { runs } = await client.call('searchRuns', {
        body: { experimentIds: experiments.map((e) => e.id), orderBy: ['attributes.start_time DESC'], limit: 8, columns: {} },
        signal,
      });
      const names = new Map(experiments.map((e) => [e.id, e.name]));
      return runs.map((run) => ({ ...run, experimentName: names.get(run.experimentId) ?? run.experimentId }));
    },
    refetchInterval: LIVE.normal,
  });
}

const EndpointHint = ({ endpoints }: { endpoints: Endpoint[] }) => {
  const unwell = endpoints.filter((e) => e.state !== 'ready').length;
  return (
    <span style={unwell > 0 ? { color: 'var(--bn-bad)' } : undefined}>
      {endpoints.length === 0 ? 'none deployed' : unwell > 0 ? `${unwell} not well` : 'all ready'}
    </span>
  );
};
const Nothing = ({ children }: { children: string }) => (
  <Text c="dimmed" size="sm" p="md">
    {children}
  </Text>
);

function Endpoints({ endpoints, monitors }: { endpoints: Endpoint[]; monitors: MonitorSummary[] }) {
  if (endpoints.length === 0) return <Nothing>Nothing is deployed.</Nothing>;
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Endpoint</Table.Th>
          <Table.Th>State</Table.Th>
          <Table.Th className="num">Requests/s</Table.Th>
          <Table.Th className="num">p95</Table.Th>
          <Table.Th>Drift</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {endpoints.map((e) => {
          const monitor = monitors.find((m) => m.endpoint === e.name);
          const served = e.versions
            .filter((v) => !v.shadow)
            .map((v) => `v${v.version}`)
            .join(', ');
          return (
            <Table.Tr key={e.name}>
              <Table.Td className="break">
                <Link to="/endpoints/$endpoint" params={{ endpoint: e.name }} className="bn-link">
                  {e.name}
                </Link>
                <br />
                <Text span size="xs" c="dimmed">
                  {e.model} {served}
                </Text>
              </Table.Td>
              <Table.Td>
                <State value={e.state} />
              </Table.Td>
              <Table.Td className="num">{formatNumber(e.stats.requestsPerSecond, 3)}</Table.Td>
              <Table.Td className="num">{formatDuration(e.stats.p95Ms)}</Table.Td>
              <Table.Td>
                {monitor === undefined ? (
                  '–'
                ) : (
                  <Link to="/monitoring/$endpoint" params={{ endpoint: e.name }} search={{ tab: 'drift' }} className="bn-link">
                    {monitor.driftedFeatures.length === 0 ? (monitor.hasBaseline ? 'none' : 'no baseline') : monitor.driftedFeatures.join(', ')}
                  </Link>
                )}
              </Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}

function Jobs({ jobs }: { jobs: BatchJob[] }) {
  if (jobs.length === 0) return <Nothing>No batch job has run.</Nothing>;
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Job</Table.Th>
          <Table.Th>State</Table.Th>
          <Table.Th className="num">Rows</Table.Th>
          <Table.Th>Created</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {jobs.map((job) => (
          <Table.Tr key={job.id}>
            <Table.Td className="break">
              <Link to="/batch/$jobId" params={{ jobId: job.id }} className="bn-link">
                {job.model} v{job.version}
              </Link>
            </Table.Td>
            <Table.Td>
              <State value={job.state} />
              {job.state === 'running' && job.rowsTotal !== null && job.rowsTotal > 0 && (
                <Progress value={(job.rowsDone / job.rowsTotal) * 100} size="xs" mt={4} w={90} aria-label={`Progress of ${job.model}`} />
              )}
            </Table.Td>
            <Table.Td className="num">{formatInt(job.rowsDone)}</Table.Td>
            <Table.Td>
              <Time at={job.createdAt} ago />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Runs({ runs }: { runs: (RunRow & { experimentName: string })[] }) {
  if (runs.length === 0) return <Nothing>No run was logged.</Nothing>;
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Run</Table.Th>
          <Table.Th>State</Table.Th>
          <Table.Th>Started</Table.Th>
          <Table.Th className="num">Duration</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {runs.map((run) => (
          <Table.Tr key={run.id}>
            <Table.Td className="break">
              <Group gap={6}>
                <Link to="/runs/$runId" params={{ runId: run.id }} className="bn-link">
                  {run.name || run.id}
                </Link>
              </Group>
              <Anchor component={Link} to={`/experiments/${encodeURIComponent(run.experimentId)}` as never} size="xs" c="dimmed">
                {run.experimentName}
              </Anchor>
            </Table.Td>
            <Table.Td>
              <State value={run.status} />
            </Table.Td>
            <Table.Td>
              <Time at={run.startedAt} ago />
            </Table.Td>
            <Table.Td className="num">
              <Elapsed from={run.startedAt} to={run.endedAt} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
