import { Badge, Button, Tabs } from '@mantine/core';
import { getRouteApi, Link } from '@tanstack/react-router';
import { LIVE, useApi } from '../app/api.ts';
import type { MonitorSearch, MonitorTab } from '../app/search.ts';
import { AlarmTable } from '../features/monitoring/alarms-tab.tsx';
import { ConfigTab } from '../features/monitoring/config-tab.tsx';
import { DriftTab } from '../features/monitoring/drift-tab.tsx';
import { PredictionsTab } from '../features/monitoring/predictions-tab.tsx';
import { QualityTab } from '../features/monitoring/quality-tab.tsx';
import { SeriesTab } from '../features/monitoring/series-tab.tsx';
import { Time } from '../ui/bits.tsx';
import { formatCompact, formatInt, formatPercent } from '../ui/format.ts';
import { Page, Panel, Stats } from '../ui/page.tsx';
import { QueryView } from '../ui/states.tsx';

const route = getRouteApi('/monitoring/$endpoint');
const TABS: [MonitorTab, string][] = [
  ['series', 'Time series'],
  ['drift', 'Drift'],
  ['alarms', 'Alarms'],
  ['quality', 'Quality'],
  ['predictions', 'Predictions'],
  ['config', 'Settings'],
];

export function MonitorPage() {
  const { endpoint } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<MonitorSearch>) => void navigate({ search: (s) => ({ ...s, ...change }), replace: true, resetScroll: false });
  const query = useApi('getMonitor', { params: { endpoint } }, { refetchInterval: LIVE.normal });
  const alarms = useApi('listAlarms', { query: { endpoint, state: 'all', limit: 200 } }, { refetchInterval: LIVE.normal });
  const drift = useApi('getDrift', { params: { endpoint }, query: { source: 'live' } }, { enabled: search.tab === 'config', staleTime: 60_000 });
  return (
    <Page
      title={`Monitor of ${endpoint}`}
      crumbs={[{ label: 'Monitoring', link: { to: '/monitoring' } }, { label: endpoint }]}
      badge={
        query.data !== undefined &&
        query.data.openAlarms > 0 && (
          <Badge color="red">
            {query.data.openAlarms} open {query.data.openAlarms === 1 ? 'alarm' : 'alarms'}
          </Badge>
        )
      }
      actions={
        <Button variant="default" component={Link} {...({ to: '/endpoints/$endpoint', params: { endpoint } } as object)}>
          Endpoint
        </Button>
      }
    >
      <QueryView query={query} lines={8}>
        {(m) => (
          <>
            <Panel>
              <Stats
                items={[
                  { label: 'Predictions', value: formatCompact(m.predictions), hint: `${formatInt(m.predictionsLastDay)} in the last day` },
                  { label: 'Errors', value: formatInt(m.errors), tone: m.errors > 0 ? 'warn' : undefined },
                  { label: 'With ground truth', value: m.predictions > 0 ? formatPercent(m.labelled / m.predictions) : '–', hint: formatInt(m.labelled) },
                  {
                    label: 'Drifted features',
                    value: formatInt(m.driftedFeatures.length),
                    tone: m.driftedFeatures.length > 0 ? 'bad' : undefined,
                    hint: m.driftedFeatures.length > 0 ? m.driftedFeatures.join(', ') : m.hasBaseline ? 'newest complete window' : 'no baseline',
                  },
                  { label: 'Open alarms', value: formatInt(m.openAlarms), tone: m.openAlarms > 0 ? 'bad' : 'good' },
                  {
                    label: 'Newest event',
                    value: (
                      <span style={{ fontSize: '0.9rem' }}>
                        <Time at={m.lastPredictionAt} seconds={false} />
                      </span>
                    ),
                    hint: (
                      <>
                        first <Time at={m.firstPredictionAt} />
                      </>
                    ),
                  },
                ]}
              />
            </Panel>
            <Tabs
              value={search.tab ?? 'series'}
              onChange={(tab) =>
                void navigate({
                  search: (s) => ({ source: s.source, version: s.version, all: s.all, tab: tab === 'series' ? undefined : (tab as MonitorTab) }),
                })
              }
              keepMounted={false}
            >
              <Tabs.List mb="md">
                {TABS.map(([value, label]) => (
                  <Tabs.Tab key={value} value={value}>
                    {label}
                  </Tabs.Tab>
                ))}
              </Tabs.List>
              <Tabs.Panel value="series">
                <SeriesTab endpoint={endpoint} search={search} set={set} alarms={alarms.data?.alarms ?? []} config={m.config} />
              </Tabs.Panel>
              <Tabs.Panel value="drift">
                <DriftTab endpoint={endpoint} search={search} set={set} config={m.config} />
              </Tabs.Panel>
              <Tabs.Panel value="alarms">
                <QueryView query={alarms}>{(data) => <AlarmTable alarms={data.alarms} />}</QueryView>
              </Tabs.Panel>
              <Tabs.Panel value="quality">
                <QualityTab endpoint={endpoint} search={search} set={set} />
              </Tabs.Panel>
              <Tabs.Panel value="predictions">
                <PredictionsTab endpoint={endpoint} search={search} set={set} />
              </Tabs.Panel>
              <Tabs.Panel value="config">
                <ConfigTab key={JSON.stringify(m.config)} endpoint={endpoint} config={m.config} features={drift.data?.features.map((f) => f.name) ?? []} />
              </Tabs.Panel>
            </Tabs>
          </>
        )}
      </QueryView>
    </Page>
  );
}
