import type { MetricSummary, RunDetail } from '@binnacle/contract';
import { Text, Title } from '@mantine/core';
import { useMemo } from 'react';
import { useApi } from '../../app/api.ts';
import { formatNumber } from '../../ui/format.ts';
import { MetricGrid } from '../metrics/metric-charts.tsx';
import { isLive } from './live.ts';
import { isSystem, SYSTEM, systemGroups, systemMetric, type Unit } from './system.ts';

/** The run's hardware series by name; [] while nothing is known. */
export function useSystemKeys(run: RunDetail | undefined): string[] {
  const keys = useApi(
    'listMetricKeys',
    { params: { runId: run?.id ?? '' }, query: { q: SYSTEM, limit: 1000 } },
    { enabled: run !== undefined && run.metricKeys > 0, keepPrevious: true, refetchInterval: isLive(run) ? 15_000 : false },
  );
  return useMemo(() => (keys.data?.metrics ?? []).map(({ key }: MetricSummary) => key).filter(isSystem), [keys.data]);
}

const written = (unit: Unit) => (value: number) => (unit === '%' ? `${formatNumber(value, 3)}%` : `${formatNumber(value, 4)}${unit === '' ? '' : ` ${unit}`}`);
const look = (key: string) => {
  const { title, unit } = systemMetric(key);
  return { title, format: written(unit), yMin: 0 };
};

/** CPU, memory, GPUs, disks and network over time. */
export function SystemTab({ run, keys }: { run: RunDetail; keys: string[] }) {
  const groups = useMemo(() => systemGroups(keys), [keys]);
  const runs = useMemo(() => [{ id: run.id, name: run.name }], [run.id, run.name]);
  if (groups.length === 0)
    return (
      <Text c="dimmed" size="sm">
        No hardware was recorded.
      </Text>
    );
  return (
    <div style={{ display: 'grid', gap: 18 }}>
      {groups.map(({ group, metrics }) => (
        <section key={group} aria-label={group}>
          <Title order={2} size="h3" mb={8}>
            {group}
          </Title>
          <MetricGrid
            metrics={metrics.map(({ key }) => key)}
            runs={runs}
            zoom={null}
            onZoom={() => undefined}
            smoothing={0}
            log={false}
            live={isLive(run)}
            overTime
            look={look}
            height={150}
          />
        </section>
      ))}
    </div>
  );
}
