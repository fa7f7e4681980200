import type { MetricSummary } from '@binnacle/contract';
import { Group, Text } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useCallback, useDeferredValue, useEffect, useMemo, useState } from 'react';
import { client } from '../../app/api.ts';
import { Sparkline } from '../../charts/index.ts';
import { formatInt, formatNumber, toNumber } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { SearchInput } from '../../ui/search-input.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { FoldAll } from '../nested/fold-button.tsx';
import { flatRows, openness, type TreeRow, toggled, treeRows } from '../nested/tree.ts';
import { TreeGrid } from '../nested/tree-grid.tsx';

const CHUNK = 40;
/** Of so many pages the values are asked again while the run goes on. */
const MOST_REFRESHED = 12;
/** Of so many keys the branches are counted before anybody scrolls to them. */
const MOST_COUNTED = 20_000;
const keyOf = (metric: MetricSummary): string => metric.key;

/** A run's metrics with their last values, nested by their names; pages and sparklines are fetched for what is in view, so 100,000 keys are fine. */
export function MetricsTable({
  runId,
  total,
  wanted,
  query,
  onQuery,
  onOpen,
  live,
  fold,
  onFold,
}: {
  runId: string;
  total: number;
  /** Which keys are shown. */
  wanted: (key: string) => boolean;
  query: string;
  onQuery: (q: string) => void;
  onOpen: (metric: string) => void;
  live: boolean;
  /** The closed branches. */
  fold: string[];
  onFold: (fold: string[]) => void;
}) {
  const q = useDeferredValue(query.trim());
  const pages = useInfiniteQuery({
    queryKey: ['listMetricKeys', runId, q],
    queryFn: ({ pageParam, signal }) =>
      client.call('listMetricKeys', { params: { runId }, query: { q: q === '' ? undefined : q, limit: 1000, pageToken: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.nextPageToken,
    placeholderData: keepPreviousData,
    refetchInterval: (of) => (live && (of.state.data?.pages.length ?? 0) <= MOST_REFRESHED ? 5_000 : false),
  });
  const metrics = useMemo(() => (pages.data?.pages.flatMap((p) => p.metrics) ?? []).filter((m) => wanted(m.key)), [pages.data, wanted]);
  // A search shows whole names, so that nothing it finds is hidden in a closed branch.
  const rows = useMemo(() => (q === '' ? treeRows(metrics, keyOf, openness(fold)) : flatRows(metrics, keyOf)), [metrics, q, fold]);
  const branches = rows.filter((row) => row.kind === 'branch');
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  // What a closed branch holds is counted, so it is read to its end.
  const someClosed = branches.some((row) => !row.open) && metrics.length < MOST_COUNTED;
  useEffect(() => {
    if (someClosed) onEnd();
  }, [someClosed, onEnd]);
  const [chunks, setChunks] = useState<[number, number]>([0, 0]);
  const onRange = useCallback((first: number, last: number) => {
    const next: [number, number] = [Math.floor(first / CHUNK), Math.floor(last / CHUNK)];
    setChunks((before) => (before[0] === next[0] && before[1] === next[1] ? before : next));
  }, []);
  const lines = useSparklines(runId, rows, chunks[0], chunks[1], live);

  return (
    <Panel
      title={`Metrics (${formatInt(total)})`}
      actions={
        <>
          {branches.length > 0 && <FoldAll of="metrics" anyOpen={branches.some((row) => row.open)} onFold={onFold} />}
          <SearchInput
            aria-label="Search metrics"
            placeholder="Search"
            value={query}
            onSearch={onQuery}
            leftSection={<IconSearch size={14} aria-hidden />}
            w={180}
          />
        </>
      }
    >
      {pages.isError && <ErrorState error={pages.error} retry={pages.refetch} compact />}
      {metrics.length === 0 && pages.isSuccess && (
        <Text c="dimmed" size="sm">
          {total === 0 ? 'No metrics logged.' : 'No metric matches.'}
        </Text>
      )}
      <TreeGrid
        label="Metrics"
        rows={rows}
        onToggle={(path) => onFold(toggled(fold, path))}
        onRange={onRange}
        onEnd={onEnd}
        renderCells={({ label, item: metric }, indent) => (
          <>
            <span role="gridcell" className="clip" style={{ flex: '1 1 0', paddingLeft: indent }} title={metric.key}>
              {label}
              {metric.inherited && <span style={{ color: 'var(--bn-muted)' }}> inherited</span>}
            </span>
            <span role="gridcell" style={{ width: 112, height: 24, flex: 'none' }}>
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
            <span role="gridcell" className="num" style={{ width: 92, flex: 'none', fontWeight: 600 }} title={`${metric.value} at step ${metric.step}`}>
              {formatNumber(metric.value)}
            </span>
            <Text role="gridcell" span size="xs" c="dimmed" className="num hide-narrow" style={{ width: 176, flex: 'none' }}>
              {metric.count > 1
                ? `${formatNumber(metric.min, 4)} … ${formatNumber(metric.max, 4)} · ${formatInt(metric.count)}`
                : `step ${formatNumber(metric.step)}`}
            </Text>
          </>
        )}
      />
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
function useSparklines(runId: string, rows: TreeRow<MetricSummary>[], from: number, to: number, live: boolean): Map<string, (number | null)[]> {
  const keys = useMemo(
    () => rows.slice(from * CHUNK, (to + 1) * CHUNK).flatMap((row) => (row.kind === 'leaf' && row.item.count > 1 ? [row.key] : [])),
    [rows, from, to],
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
