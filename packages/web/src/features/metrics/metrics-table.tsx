import type { MetricSummary } from '@binnacle/contract';
import { Group, Text } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useEffect, useMemo, useRef } from 'react';
import { client } from '../../app/api.ts';
import { Sparkline } from '../../charts/index.ts';
import { formatInt, formatNumber, toNumber } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { SearchInput } from '../../ui/search-input.tsx';
import { ErrorState } from '../../ui/states.tsx';

const ROW = 32;
const CHUNK = 40;

/** A run's metrics with their last values; pages and sparklines are fetched for what is in view, so 100,000 keys are fine. */
export function MetricsTable({
  runId,
  total,
  query,
  onQuery,
  onOpen,
  live,
}: {
  runId: string;
  total: number;
  query: string;
  onQuery: (q: string) => void;
  onOpen: (metric: string) => void;
  live: boolean;
}) {
  const q = useDeferredValue(query.trim());
  const pages = useInfiniteQuery({
    queryKey: ['listMetricKeys', runId, q],
    queryFn: ({ pageParam, signal }) =>
      client.call('listMetricKeys', { params: { runId }, query: { q: q === '' ? undefined : q, limit: 1000, pageToken: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.nextPageToken,
    placeholderData: keepPreviousData,
    ...(live ? { refetchInterval: 5_000 } : {}),
  });
  const metrics = useMemo(() => pages.data?.pages.flatMap((p) => p.metrics) ?? [], [pages.data]);
  const box = useRef<HTMLDivElement>(null);
  const view = useVirtualizer({ count: metrics.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 6 });
  const items = view.getVirtualItems();
  const last = items[items.length - 1]?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  useEffect(() => {
    if (last > metrics.length - 50 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [last, metrics.length, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const lines = useSparklines(runId, metrics, Math.floor((items[0]?.index ?? 0) / CHUNK), Math.floor(last / CHUNK), live);

  return (
    <Panel
      title={`Metrics (${formatInt(total)})`}
      actions={
        <SearchInput
          aria-label="Search metrics"
          placeholder="Search"
          value={query}
          onSearch={onQuery}
          leftSection={<IconSearch size={14} aria-hidden />}
          w={180}
        />
      }
    >
      {pages.isError && <ErrorState error={pages.error} retry={pages.refetch} compact />}
      {metrics.length === 0 && pages.isSuccess && (
        <Text c="dimmed" size="sm">
          {total === 0 ? 'No metrics logged.' : 'No metric matches.'}
        </Text>
      )}
      <div
        ref={box}
        style={{ maxHeight: 420, overflow: 'auto', margin: '-6px -14px -14px' }}
        tabIndex={0}
        role="table"
        aria-label="Metrics"
        aria-rowcount={metrics.length}
      >
        <div style={{ height: view.getTotalSize(), position: 'relative' }} role="rowgroup">
          {items.map((item) => {
            const metric = metrics[item.index];
            if (metric === undefined) return null;
            return (
              <div
                key={metric.key}
                role="row"
                aria-rowindex={item.index + 1}
                style={{
                  position: 'absolute',
                  insetInline: 0,
                  transform: `translateY(${item.start}px)`,
                  height: ROW,
                  display: 'flex',
                  alignItems: 'center',
                  gap: 10,
                  padding: '0 14px',
                  borderBottom: '1px solid var(--bn-grid)',
                  fontSize: 13,
                }}
              >
                <span role="cell" className="clip" style={{ flex: '1 1 0' }} title={metric.key}>
                  {metric.key}
                </span>
                <span role="cell" style={{ width: 112, flex: 'none' }}>
                  {metric.count > 1 && (
                    <button
                      type="button"
                      className="rt-sort"
                      aria-label={`Chart of ${metric.key}`}
                      onClick={() => onOpen(metric.key)}
                      style={{ all: 'unset', cursor: 'pointer' }}
                    >
                      <Sparkline values={lines.get(metric.key) ?? []} label={metric.key} />
                    </button>
                  )}
                </span>
                <strong role="cell" className="num" style={{ width: 92, flex: 'none', fontWeight: 600 }} title={`${metric.value} at step ${metric.step}`}>
                  {formatNumber(metric.value)}
                </strong>
                <Text role="cell" span size="xs" c="dimmed" className="num hide-narrow" style={{ width: 176, flex: 'none' }}>
                  {metric.count > 1
                    ? `${formatNumber(metric.min, 4)} … ${formatNumber(metric.max, 4)} · ${formatInt(metric.count)}`
                    : `step ${formatNumber(metric.step)}`}
                </Text>
              </div>
            );
          })}
        </div>
      </div>
      {isFetchingNextPage && (
        <Group justify="center" mt="xs">
          <Text size="xs" c="dimmed">
            Loading more …
          </Text>
        </Group>
      )}
    </Panel>
  );
}

/** Sparklines of the rows in view, two chunks at most at a time. */
function useSparklines(runId: string, metrics: MetricSummary[], from: number, to: number, live: boolean): Map<string, (number | null)[]> {
  const keys = useMemo(
    () =>
      metrics
        .slice(from * CHUNK, (to + 1) * CHUNK)
        .filter((m) => m.count > 1)
        .map((m) => m.key),
    [metrics, from, to],
  );
  const query = useQuery({
    queryKey: ['sparklines', runId, keys],
    queryFn: ({ signal }) => client.call('getSeries', { body: { runIds: [runId], keys, maxPoints: 60 }, signal }),
    enabled: keys.length > 0,
    placeholderData: keepPreviousData,
    staleTime: 15_000,
    refetchInterval: live ? 15_000 : false,
  });
  return useMemo(
    () =>
      new Map(
        query.data?.series.map((s) => [
          s.key,
          s.points.map((p) => {
            const v = toNumber(p.value);
            return Number.isFinite(v) ? v : null;
          }),
        ]),
      ),
    [query.data],
  );
}
