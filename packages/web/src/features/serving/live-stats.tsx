import { Group, Table, Text } from '@mantine/core';
import { useMemo } from 'react';
import { LIVE, useApi } from '../../app/api.ts';
import { type ChartSeries, LineChart } from '../../charts/index.ts';
import { BatchSizes, Refusals } from './batch-sizes.tsx';
import { formatBytes, formatCompact, formatDuration, formatInt, formatNumber, formatPercent } from '../../ui/format.ts';
import { Panel, Stats } from '../../ui/page.tsx';
import { QueryView } from '../../ui/states.tsx';

const BUCKET_SECONDS = 10;

const hitRate = (versions: readonly { cacheHits: number; cacheMisses: number }[]): number => {
  const hits = versions.reduce((sum, { cacheHits }) => sum + cacheHits, 0);
  const all = versions.reduce((sum, { cacheMisses }) => sum + cacheMisses, hits);
  return all === 0 ? 0 : hits / all;
};

/** Throughput and latency as they happen, for the last half hour. */
export function LiveStats({ endpoint }: { endpoint: string }) {
  const query = useApi('getEndpointStats', { params: { endpoint } }, { refetchInterval: LIVE.fast });
  const buckets = query.data?.buckets;
  const { rate, latency } = useMemo(() => {
    const x = buckets?.map((b) => b.start) ?? [];
    const latencyOf = (key: 'p50Ms' | 'p95Ms' | 'p99Ms', label: string, color: string): ChartSeries => ({
      key,
      label,
      color,
      x,
      y: buckets?.map((b) => b[key]) ?? [],
    });
    const errors = buckets?.some((b) => b.errors > 0) === true;
    return {
      rate: [
        { key: 'rate', label: 'requests/s', color: '--bn-s1', x, y: buckets?.map((b) => b.requests / BUCKET_SECONDS) ?? [] },
        ...(errors ? [{ key: 'errors', label: 'errors/s', color: '--bn-s2', x, y: buckets?.map((b) => b.errors / BUCKET_SECONDS) ?? [] }] : []),
      ] as ChartSeries[],
      latency: [latencyOf('p50Ms', 'p50', '--bn-s1'), latencyOf('p95Ms', 'p95', '--bn-s5'), latencyOf('p99Ms', 'p99', '--bn-s2')],
    };
  }, [buckets]);
  return (
    <QueryView query={query} lines={4}>
      {({ total, byVersion, buckets: list, failures, cache, ...rest }) => (
        <>
          <Panel
            title="Live"
            actions={
              <Text size="xs" c="dimmed">
                last {formatDuration(total.windowSeconds * 1000)}
              </Text>
            }
          >
            <Stats
              items={[
                { label: 'Requests/s', value: formatNumber(total.requestsPerSecond, 3) },
                { label: 'Requests', value: formatCompact(total.requests), hint: `${formatCompact(total.instances)} predictions` },
                {
                  label: 'Errors',
                  value: formatCompact(total.errors),
                  tone: total.errors > 0 ? 'bad' : undefined,
                  hint: total.requests > 0 ? formatPercent(total.errors / total.requests, 2) : undefined,
                },
                { label: 'p50', value: formatDuration(total.p50Ms) },
                { label: 'p95', value: formatDuration(total.p95Ms) },
                { label: 'p99', value: formatDuration(total.p99Ms) },
                ...(cache === null
                  ? []
                  : [{ label: 'Cache', value: formatPercent(hitRate(byVersion)), hint: `${formatInt(cache.entries)} answers, ${formatBytes(cache.bytes)}` }]),
              ]}
            />
            {list.length === 0 ? (
              <Text c="dimmed" size="sm" mt="md">
                No request in the last half hour. The try-it tab sends one.
              </Text>
            ) : (
              <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(380px, 100%), 1fr))', gap: 14, marginTop: 14 }}>
                <div>
                  <Text size="xs" fw={600} c="dimmed">
                    Throughput
                  </Text>
                  <LineChart title="Requests a second" series={rate} xKind="time" height={150} yMin={0} legend={rate.length > 1} />
                </div>
                <div>
                  <Text size="xs" fw={600} c="dimmed">
                    Latency
                  </Text>
                  <LineChart title="Latency" series={latency} xKind="time" height={150} yMin={0} format={formatDuration} />
                </div>
              </div>
            )}
          </Panel>
          {byVersion.length > 0 && (
            <Panel title="By version" flush>
              <div style={{ overflowX: 'auto' }} tabIndex={0} role="group" aria-label="By version">
                <Table>
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>Version</Table.Th>
                      <Table.Th className="num">Requests</Table.Th>
                      <Table.Th className="num">Errors</Table.Th>
                      <Table.Th className="num">p50</Table.Th>
                      <Table.Th className="num">p95</Table.Th>
                      <Table.Th className="num">p99</Table.Th>
                      <Table.Th className="num">Wait in queue</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {byVersion.map((v) => (
                      <Table.Tr key={`${v.version}${v.shadow}`}>
                        <Table.Td>
                          <Group gap={6}>
                            v{v.version}
                            {v.shadow && (
                              <Text span size="xs" c="dimmed">
                                shadow
                              </Text>
                            )}
                          </Group>
                        </Table.Td>
                        <Table.Td className="num">{formatInt(v.stats.requests)}</Table.Td>
                        <Table.Td className="num">{formatInt(v.stats.errors)}</Table.Td>
                        <Table.Td className="num">{formatDuration(v.stats.p50Ms)}</Table.Td>
                        <Table.Td className="num">{formatDuration(v.stats.p95Ms)}</Table.Td>
                        <Table.Td className="num">{formatDuration(v.stats.p99Ms)}</Table.Td>
                        <Table.Td className="num">{v.queueMicros === null ? '–' : formatDuration(v.queueMicros / 1000)}</Table.Td>
                      </Table.Tr>
                    ))}
                  </Table.Tbody>
                </Table>
              </div>
            </Panel>
          )}
          <BatchSizes stats={{ total, byVersion, buckets: list, failures, cache, ...rest }} />
          <Refusals failures={failures} />
        </>
      )}
    </QueryView>
  );
}
