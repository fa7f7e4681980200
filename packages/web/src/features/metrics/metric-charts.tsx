import { Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useApi } from '../../app/api.ts';
import { LineChart, type Range, smooth, WhenVisible } from '../../charts/index.ts';
import { formatNumber } from '../../ui/format.ts';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { chartLines, MANY_LINES } from './shape.ts';

const HEIGHT = 190;
const MOST_MARKS = 8;

/** What is asked for to draw a part: a little more, so that lines reach its edges. Steps may be fractions. */
function around([from, to]: Range): { from: number; to: number } {
  const width = to - from;
  return width < 2 ? { from: from - width, to: to + width } : { from: Math.floor(from), to: Math.ceil(to) };
}

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
  /** Over time, whatever the steps are. */
  overTime?: boolean;
  /** Another title than the key, and how values are written. */
  look?: (metric: string) => { title: string; format?: (value: number) => string; yMin?: number };
}

/** One metric of one or several runs as min/max buckets from the server, asked again for the shown part on zoom. */
function MetricChart({ metric, runs, zoom, onZoom, smoothing, log, live, height = HEIGHT, overTime = false, look }: MetricChartProps) {
  const many = runs.length > MANY_LINES;
  const query = useApi(
    'getSeries',
    {
      body: {
        runIds: runs.map((r) => r.id),
        keys: [metric],
        maxPoints: many ? 200 : 800,
        ...(zoom === null ? {} : around(zoom)),
      },
    },
    { keepPrevious: true, ...(live ? { refetchInterval: 4_000 } : {}) },
  );
  // The zoom in the link is one of steps; a chart over time has its own.
  const [timeZoom, setTimeZoom] = useState<Range | null>(null);
  const { title = metric, format, yMin } = look?.(metric) ?? {};
  const { kind, lines, thinned, forks } = useMemo(() => {
    const names = new Map(runs.map((run, i) => [run.id, { ...run, i }]));
    return chartLines(query.data?.series ?? [], {
      smoothed: (values) => smooth(values, smoothing),
      styleOf: (runId) => {
        const run = names.get(runId);
        return { label: runs.length === 1 ? title : (run?.name ?? runId), color: `--bn-s${((run?.i ?? 0) % 8) + 1}`, dashed: (run?.i ?? 0) >= 8 };
      },
      always: smoothing > 0,
      overTime,
    });
  }, [query.data, runs, title, smoothing, overTime]);
  if (query.isError && query.data === undefined) return <ErrorState error={query.error} retry={query.refetch} compact />;
  if (query.data === undefined) return <Loading lines={3} height={40} />;
  const total = query.data.series.reduce((sum, s) => sum + s.total, 0);
  const odd = query.data.series.some((s) => s.points.some((p) => typeof p.value === 'string'));
  const notes = [
    ...(overTime
      ? []
      : kind === 'time'
        ? ['logged without steps: over time']
        : kind === 'relative'
          ? ['logged without steps: seconds since the first point of each run']
          : []),
    ...(total > 1000 ? [`${formatNumber(total)} points, as min/max buckets`] : []),
    ...(thinned ? ['many lines: their points are drawn on one grid'] : []),
    ...(odd ? ['NaN and infinite values are gaps'] : []),
  ];
  const marks = forks.length > 0 && forks.length <= MOST_MARKS ? forks.map((x) => ({ x, label: 'forked' })) : undefined;
  const shared = {
    title,
    series: lines,
    height,
    log,
    // A dashed line alone needs a word, too.
    legend: lines.length > 1 || lines.some((line) => line.faint === true),
    ...(format === undefined ? {} : { format }),
    ...(yMin === undefined ? {} : { yMin }),
    ...(marks === undefined ? {} : { marks }),
  };
  if (lines.length === 0)
    return (
      <Text c="dimmed" size="sm" p="sm">
        No points{zoom === null ? '' : ' in this range'}.
      </Text>
    );
  return (
    <>
      {kind === 'step' ? (
        <LineChart {...shared} zoom={zoom} onZoom={onZoom} syncKey="metrics" />
      ) : (
        <LineChart {...shared} xKind={kind} zoom={timeZoom} onZoom={setTimeZoom} syncKey={`metrics-${kind}`} />
      )}
      {notes.length > 0 && (
        <Text size="xs" c="dimmed" px={10}>
          {notes.join('; ')}
        </Text>
      )}
    </>
  );
}

/** A chart in its box, mounted only while it is near the screen. */
export function MetricPanel({ metric, ...rest }: MetricChartProps) {
  const title = rest.look?.(metric).title ?? metric;
  return (
    <section className="bn-panel" aria-label={title}>
      <Text component="h2" size="sm" fw={600} px={12} pt={9} className="clip" title={metric} m={0}>
        {title}
      </Text>
      <WhenVisible height={(rest.height ?? HEIGHT) + (rest.runs.length > 1 ? 30 : 6)}>{() => <MetricChart metric={metric} {...rest} />}</WhenVisible>
    </section>
  );
}

/** A grid of charts, each mounted only while it is near the screen. */
export function MetricGrid({ metrics, ...rest }: { metrics: string[] } & Omit<MetricChartProps, 'metric'>) {
  return (
    <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(min(420px, 100%), 1fr))', gap: 12 }}>
      {metrics.map((metric) => (
        <MetricPanel key={metric} metric={metric} {...rest} />
      ))}
    </div>
  );
}
