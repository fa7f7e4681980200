import type { RunRow } from '@binnacle/contract';
import type { BinnacleApiError, CallResult } from '@binnacle/sdk';
import { type InfiniteData, keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { client, LIVE } from '../../app/api.ts';
import type { View } from '../../app/search.ts';
import { mergeRows, requestedColumns } from './columns.ts';

const PAGE = 200;
/** Groups need all of their runs: pages are larger, and read without being scrolled to, up to so many runs. */
const GROUPED_PAGE = 2000;
export const MOST_GROUPED = 20_000;
/** So many pages are asked again from time to time; of more, only the first is kept fresh. */
const MOST_REFRESHED = 5;

/** Runs of an experiment, a page at a time; the first page is asked again while the tab is looked at, so new runs appear by themselves. */
export function useRuns(
  experimentId: string,
  options: { filter: string; sort: string | undefined; columns: string[] | undefined; view: View; group: string[] },
) {
  const { filter, sort, columns, view, group } = options;
  const grouped = group.length > 0;
  const body = {
    experimentIds: [experimentId],
    filter,
    view,
    orderBy: sort === undefined ? [] : [sort],
    limit: grouped ? GROUPED_PAGE : PAGE,
    columns: requestedColumns([...(columns ?? []), ...group]),
  };
  const queries = useQueryClient();
  const key = ['searchRuns', body];
  const pages = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => client.call('searchRuns', { body: { ...body, ...(pageParam === '' ? {} : { pageToken: pageParam }) }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextPageToken,
    placeholderData: keepPreviousData,
    enabled: columns !== undefined,
    refetchOnWindowFocus: false,
    // The second page and what follows; the first has the query below.
    refetchInterval: (q) => ((q.state.data?.pages.length ?? 0) > 1 && (q.state.data?.pages.length ?? 0) <= MOST_REFRESHED ? LIVE.slow : false),
    retry: false,
  });
  const fresh = useQuery({
    queryKey: ['searchRuns', 'fresh', body],
    queryFn: ({ signal }) => client.call('searchRuns', { body, signal }),
    enabled: pages.isSuccess && !pages.isPlaceholderData,
    refetchInterval: grouped ? LIVE.slow : LIVE.normal,
    staleTime: LIVE.normal,
    retry: false,
  });
  const { runs, gap } = useMemo(() => mergeRows(fresh.data?.runs, pages.data?.pages.map((p) => p.runs) ?? []), [fresh.data, pages.data]);
  const { refetch } = pages;
  const keyText = JSON.stringify(key);
  useEffect(() => {
    if (!gap) return;
    // What was loaded hangs in the air: begin again with the first page.
    queries.setQueryData<InfiniteData<CallResult<'searchRuns'>>>(JSON.parse(keyText) as unknown[], (data) =>
      data === undefined ? data : { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
    );
    void refetch();
  }, [gap, keyText, queries, refetch]);

  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const more = grouped && hasNextPage && runs.length < MOST_GROUPED;
  useEffect(() => {
    if (more && !isFetchingNextPage) void fetchNextPage();
  }, [more, isFetchingNextPage, fetchNextPage]);

  // A filter that the server refuses must not empty the table: the last answer stays below the message.
  const [kept, setKept] = useState<{ of: string; runs: RunRow[] }>({ of: '', runs: [] });
  const of = `${experimentId} ${view}`;
  const failed = pages.isError && pages.data === undefined;
  if (!failed && pages.data !== undefined && (kept.runs !== runs || kept.of !== of)) setKept({ of, runs });
  return {
    runs: failed && kept.of === of ? kept.runs : runs,
    pages,
    error: pages.error as BinnacleApiError | null,
  };
}
