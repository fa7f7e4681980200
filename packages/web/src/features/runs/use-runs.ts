import type { RunRow } from '@binnacle/contract';
import type { BinnacleApiError } from '@binnacle/sdk';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { client, LIVE } from '../../app/api.ts';
import type { View } from '../../app/search.ts';
import { mergeRows, requestedColumns } from './columns.ts';

const PAGE = 200;

/** Runs of an experiment, a page at a time; the first page is asked again while the tab is looked at, so new runs appear by themselves. */
export function useRuns(experimentId: string, options: { filter: string; sort: string | undefined; columns: string[] | undefined; view: View }) {
  const { filter, sort, columns, view } = options;
  const body = {
    experimentIds: [experimentId],
    filter,
    view,
    orderBy: sort === undefined ? [] : [sort],
    limit: PAGE,
    columns: requestedColumns(columns ?? []),
  };
  const pages = useInfiniteQuery({
    queryKey: ['searchRuns', body],
    queryFn: ({ pageParam, signal }) => client.call('searchRuns', { body: { ...body, ...(pageParam === '' ? {} : { pageToken: pageParam }) }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextPageToken,
    placeholderData: keepPreviousData,
    enabled: columns !== undefined,
    refetchOnWindowFocus: false,
    retry: false,
  });
  const fresh = useQuery({
    queryKey: ['searchRuns', 'fresh', body],
    queryFn: ({ signal }) => client.call('searchRuns', { body, signal }),
    enabled: pages.isSuccess && !pages.isPlaceholderData,
    refetchInterval: LIVE.normal,
    staleTime: LIVE.normal,
    retry: false,
  });
  const runs: RunRow[] = useMemo(() => mergeRows(fresh.data?.runs, pages.data?.pages.map((p) => p.runs) ?? []), [fresh.data, pages.data]);
  return { runs, pages, error: pages.error as BinnacleApiError | null, refresh: () => Promise.all([pages.refetch(), fresh.refetch()]) };
}
