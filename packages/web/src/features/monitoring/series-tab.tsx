import type { Alarm, MonitorConfig } from '@binnacle/contract';
import { Group, SegmentedControl, Text } from '@mantine/core';
import { useMemo } from 'react';
import { LIVE, useApi } from '../../app/api.ts';
import { type MonitorSearch, SOURCES } from '../../app/search.ts';
import { type ChartSeries, LineChart, seriesColor } from '../../charts/index.ts';
import { formatCompact, formatDuration } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { QueryView } from '../../ui/states.tsx';
import { RangeNote, useMonitorRange } from './use-range.tsx';
import { alarmBands, trimSilence } from './windows.ts';

/** Counts, errors, latency and the mean score over event time, with the alarms drawn where they hold. */
export function SeriesTab({
  endpoint,
  search,
  set,
  alarms,
  config,
}: {
  endpoint: string;
  search: MonitorSearch;
  set: (change: Partial<MonitorSearch>) => void;
  alarms: Alarm[];
  config: MonitorConfig;
}) {
  const zoom = search.from !== undefined && search.to !== undefined ? ([search.from, search.to] as [number, number]) : null;
  const source = search.source ?? 'live';
  const range = useMonitorRange(endpoint, search, source, false);
  const query = useApi(
    'getTimeSeries',
    { params: { endpoint }, query: { source, from: range.from, to: range.to } },
    { refetchInterval: LIVE.normal, keepPrevious: true, enabled: range.ready },
  );
  const bands = useMemo(() => alarmBands(alarms, config.windowSeconds), [alarms, config.windowSeconds]);
  const charts = useMemo(() => {
    const buckets = trimSilence(query.data?.buckets ?? []);
    const x = buckets.map((b) => b.start);
    const line = (key: string, label: string, y: (number | null)[], color: string): ChartSeries => ({ key, label, x, y, color });
    const versions = [...new Set(buckets.flatMap((b) => Object.keys(b.versions)))].sort((a, b) => Number(a) - Number(b));
    return {
      counts:
        versions.length > 1
          ? versions.map((v, i) =>
              line(
                v,
                `version ${v}`,
                buckets.map((b) => b.versions[v] ?? 0),
                seriesColor(i),
              ),
            )
          : [
              line(
                'predictions',
                'predictions',
                buckets.map((b) => b.predictions),
                '--bn-s1',
              ),
            ],
      errors: [
        line(
          'errors',
          'errors',
          buckets.map((b) => b.errors),
          '--bn-s2',
        ),
      ],
      latency: [
        line(
          'p50',
          'p50',
          buckets.map((b) => b.p50Ms),
          '--bn-s1',
        ),
        line(
          'p95',
          'p95',
          buckets.map((b) => b.p95Ms),
          '--bn-s5',
        ),
        line(
          'p99',
          'p99',
          buckets.map((b) => b.p99Ms),
          '--bn-s2',
        ),
      ],
      score: buckets.some((b) => b.meanScore !== null)
        ? [
            line(
              'score',
              'mean score',
              buckets.map((b) => b.meanScore),
              '--bn-s3',
            ),
          ]
        : [
            line(
              'prediction',
              'mean prediction',
              buckets.map((b) => b.meanPrediction),
              '--bn-s3',
            ),
          ],
    };
  }, [query.data]);
  const onZoom = (range: [number, number] | null) =>
    set({ from: range === null ? undefined : Math.floor(range[0]), to: range === null ? undefined : Math.ceil(range[1]) });
  const shared = { xKind: 'time' as const, zoom, onZoom, bands, syncKey: `monitor-${endpoint}`, height: 170 };
  return (
    <>
      <Group mb="sm" gap="md">
        <SegmentedControl
          aria-label="Source"
          value={search.source ?? 'live'}
          onChange={(s) => set({ source: s === 'live' ? undefined : (s as (typeof SOURCES)[number]), from: undefined, to: undefined, all: undefined })}
          data={[
            { value: 'live', label: 'Live' },
            { value: 'batch', label: 'Batch' },
            { value: 'all', label: 'Both' },
          ]}
        />
        <Text size="xs" c="dimmed">
          Event time{query.data === undefined ? '' : `, a point every ${formatDuration(query.data.bucketSeconds * 1000)}`}.
          {bands.length > 0 ? ' Shaded: a drift alarm holds.' : ''} Drag to zoom.
        </Text>
        <RangeNote range={range} all={search.all === true} onAll={(all) => set({ all: all ? true : undefined, from: undefined, to: undefined })} />
      </Group>
      <QueryView query={query} lines={8} height={60}>
        {(data) =>
          data.buckets.length === 0 ? (
            <Panel>
              <Text c="dimmed" size="sm">
                No traffic{zoom === null ? ' yet' : ' in this range'}.
              </Text>
            </Panel>
          ) : (
            <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(520px, 100%), 1fr))', gap: 14 }}>
              <Panel title={charts.counts.length > 1 ? 'Predictions by version' : 'Predictions'}>
                <LineChart title="Predictions" series={charts.counts} {...shared} yMin={0} format={formatCompact} integers />
              </Panel>
              <Panel title={charts.score[0]?.label === 'mean score' ? 'Mean score' : 'Mean prediction'}>
                <LineChart title="Mean score" series={charts.score} {...shared} />
              </Panel>
              <Panel title="Latency">
                <LineChart title="Latency" series={charts.latency} {...shared} yMin={0} format={formatDuration} />
              </Panel>
              <Panel title="Errors">
                <LineChart title="Errors" series={charts.errors} {...shared} yMin={0} format={formatCompact} integers />
              </Panel>
            </div>
          )
        }
      </QueryView>
    </>
  );
}
