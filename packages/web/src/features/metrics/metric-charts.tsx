import { Text } from '@mantine/core';
import { useMemo } from 'react';
import { useApi } from '../../app/api.ts';
import { type ChartSeries, LineChart, type Range, smooth, WhenVisible } from '../../charts/index.ts';
import { formatNumber, toNumber } from '../../ui/format.ts';
import { ErrorState, Loading } from '../../ui/states.tsx';

const HEIGHT = 190;

export interface MetricChartProps {
  metric: string;
  /** Runs to draw over each other, with their names. */
  runs: { id: string; name: string }[];
  zoom: Range | null;
  onZoom: (range: Range | null) => void;
  smoothing: number;
  log: boolean;
  live: boolean;
  height?: number;
}

const orNull = (value: number | string): number | null => {
  const number = toNumber(value);
  return Number.isFinite(number) ? number : null;
};

/** One metric of one or several runs as min/max buckets from the server, asked again for the shown part on zoom. */
function MetricChart({ metric, runs, zoom, onZoom, smoothing, log, live, height = HEIGHT }: MetricChartProps) {
  const query = useApi(
    'getSeries',
    {
      body: {
        runIds: runs.map((r) => r.id),
        keys: [metric],
        maxPoints: runs.length > 20 ? 300 : 800,
        ...(zoom === null ? {} : { from: Math.floor(zoom[0]), to: Math.ceil(zoom[1]) }),
      },
    },
    { keepPrevious: true, ...(live ? { refetchInterval: 4_000 } : {}) },
  );
  const series = useMemo(() => {
    const names = new Map(runs.map((run, i) => [run.id, { ...run, i }]));
    return (query.data?.series ?? [])
      .filter((s) => s.points.length > 0)
      .map((s): ChartSeries => {
        const run = names.get(s.runId);
        const y = s.points.map((p) => orNull(p.value));
        const bucketed = s.points.some((p) => p.count > 1);
        return {
          key: s.runId,
          label: runs.length === 1 ? metric : (run?.name ?? s.runId),
          x: s.points.map((p) => p.step),
          y: smooth(y, smoothing),
          color: `--bn-s${((run?.i ?? 0) % 8) + 1}`,
          dashed: (run?.i ?? 0) >= 8,
          extendLast: true,
          ...(bucketed || smoothing > 0 ? { low: s.points.map((p) => orNull(p.min)), high: s.points.map((p) => orNull(p.max)) } : {}),
        };
      });
  }, [query.data, runs, metric, smoothing]);
  if (query.isError && query.data === undefined) return <ErrorState error={query.error} retry={query.refetch} compact />;
  if (query.data === undefined) return <Loading lines={3} height={40} />;
  const total = query.data.series.reduce((sum, s) => sum + s.total, 0);
  const odd = query.data.series.some((s) => s.points.some((p) => typeof p.value === 'string'));
  if (series.length === 0)
    return (
      <Text c="dimmed" size="sm" p="sm">
        No points{zoom === null ? '' : ' in this range'}.
      </Text>
    );
  return (
    <>
      <LineChart title={metric} series={series} zoom={zoom} onZoom={onZoom} height={height} log={log} syncKey="metrics" />
      {(odd || total > 1000) && (
        <Text size="xs" c="dimmed" px={10}>
          {total > 1000 ? `${formatNumber(total)} points, as min/max buckets` : ''}
          {odd ? `${total > 1000 ? '; ' : ''}NaN and infinite values are gaps` : ''}
        </Text>
      )}
    </>
  );
}

/** A grid of charts, each mounted only while it is near the screen. */
export function MetricGrid({ metrics, ...rest }: { metrics: string[] } & Omit<MetricChartProps, 'metric'>) {
  return (
    <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(min(420px, 100%), 1fr))', gap: 12 }}>
      {metrics.map((metric) => (
        <section key={metric} className="bn-panel" aria-label={metric}>
          <Text component="h2" size="sm" fw={600} px={12} pt={9} className="clip" title={metric} m={0}>
            {metric}
          </Text>
          <WhenVisible height={(rest.height ?? HEIGHT) + (rest.runs.length > 1 ? 30 : 6)}>{() => <MetricChart metric={metric} {...rest} />}</WhenVisible>
        </section>
      ))}
    </div>
  );
}
