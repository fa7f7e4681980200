import type { BinnacleApiError } from '@binnacle/sdk';
import { keepPreviousData, useInfiniteQuery, useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { client, LIVE } from '../../app/api.ts';
import { groupColumns, groupId, groupOrder, type ShownGroup } from './groups.ts';
import type { RunSearch } from './use-run-pages.ts';

const PAGE = 200;

/** Groups of the runs that match, a page at a time: first their figures, then what their runs share in the other columns. */
export function useRunGroups(search: RunSearch, options: { by: string[]; sort: string | undefined; columns: string[]; enabled: boolean }) {
  const { by, sort, columns, enabled } = options;
  const keysOf = (kind: string) => columns.flatMap((id) => (id.startsWith(`${kind}:`) && !by.includes(id) ? [id.slice(2)] : []));
  const { experimentIds, filter, view } = search;
  const order = groupOrder(sort, columns, by);
  const base = { experimentIds, filter, view, by: groupColumns(by), order, limit: PAGE };
  const body = { ...base, metrics: keysOf('m').slice(0, 500) };
  const pages = useInfiniteQuery({
    queryKey: ['groupRuns', body],
    queryFn: ({ pageParam, signal }) => client.call('groupRuns', { body: { ...body, ...(pageParam === '' ? {} : { pageToken: pageParam }) }, signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextPageToken,
    placeholderData: keepPreviousData,
    enabled,
    refetchOnWindowFocus: false,
    refetchInterval: LIVE.slow,
    retry: false,
  });
  const shared = {
    ...base,
    params: keysOf('p').slice(0, 100),
    tags: keysOf('t').slice(0, 100),
    attributes: keysOf('a').filter((key) => key === 'status' || key === 'user'),
  };
  const asks = shared.params.length + shared.tags.length + shared.attributes.length > 0;
  const params = pages.isPlaceholderData ? [] : ((pages.data?.pageParams ?? []) as string[]);
  const details = useQueries({
    queries: params.map((pageToken) => ({
      queryKey: ['groupRuns', 'shared', shared, pageToken],
      queryFn: ({ signal }: { signal: AbortSignal }) => client.call('groupRuns', { body: { ...shared, ...(pageToken === '' ? {} : { pageToken }) }, signal }),
      enabled: enabled && asks,
      staleTime: LIVE.slow,
      refetchOnWindowFocus: false,
      retry: false,
    })),
    combine: (all) => all.map(({ data }) => data),
  });
  const groups = useMemo((): ShownGroup[] => {
    const more = new Map(details.flatMap((page) => (page?.groups ?? []).map((group) => [groupId(group.values), group] as const)));
    const seen = new Set<string>();
    return (pages.data?.pages ?? []).flatMap((page) =>
      page.groups.flatMap((group): ShownGroup[] => {
        const id = groupId(group.values);
        // Between two pages a group may have moved.
        if (seen.has(id)) return [];
        seen.add(id);
        const also = more.get(id);
        return [{ ...group, id, ...(also === undefined ? {} : { params: also.params, tags: also.tags, attributes: also.attributes }) }];
      }),
    );
  }, [pages.data, details]);
  const head = pages.data?.pages[0];
  return { groups, total: head?.total ?? 0, runs: head?.runs ?? 0, pages, error: pages.error as BinnacleApiError | null };
}
