import type { GroupValue, RunRow } from '@binnacle/contract';
import type { BinnacleApiError, CallResult } from '@binnacle/sdk';
import { type UseQueryResult, useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { client, LIVE } from '../../app/api.ts';
import type { View } from '../../app/search.ts';
import { requestedColumns } from './columns.ts';

export const PAGE = 200;
/** A page that was scrolled away is forgotten after so long, in milliseconds: memory is bounded by what is looked at. */
const KEPT = 10_000;
/** An outline reads every key of the search: not often. */
const OUTLINE = 60_000;

export interface RunSearch {
  experimentIds: string[];
  filter: string;
  view: View;
  orderBy: string[];
}
/** Runs in one order: those of the experiment, or of a group. */
export interface Section {
  id: string;
  within: GroupValue[];
  /** More than one page: where the others begin must be known. */
  long: boolean;
  /** The first page is asked for elsewhere. */
  withoutFirst?: boolean;
}
export interface Wanted {
  section: string;
  page: number;
}

const combine = (all: UseQueryResult<CallResult<'searchRuns'>>[]) => ({
  data: all.map(({ data }) => data),
  fetching: all.some(({ isFetching }) => isFetching),
  error: all.find(({ isError }) => isError)?.error ?? null,
});

/** The pages of runs that are looked at, wherever they are in their section. */
export function useRunPages(search: RunSearch, columns: string[], sections: Section[], wanted: Wanted[]) {
  const outlines = useQueries({
    queries: sections.map(({ id, within, long, withoutFirst }) => ({
      queryKey: ['outlineRuns', search, within],
      queryFn: ({ signal }: { signal: AbortSignal }) => client.call('outlineRuns', { body: { ...search, within, pageSize: PAGE }, signal }),
      // A group's first page needs none: it is not kept waiting for the outline.
      enabled: long && (withoutFirst === true || wanted.some(({ section, page }) => section === id && page > 0)),
      staleTime: LIVE.slow,
      refetchInterval: OUTLINE,
      refetchOnWindowFocus: false,
      retry: false,
    })),
  });
  const places = new Map(sections.map(({ id }, i) => [id, i]));
  const asked = wanted.flatMap(({ section, page }) => {
    const at = places.get(section);
    const of = at === undefined ? undefined : sections[at];
    if (at === undefined || of === undefined || (page === 0 && of.withoutFirst === true)) return [];
    const pageToken = page === 0 ? '' : outlines[at]?.data?.pages[page - 1]?.pageToken;
    return pageToken === undefined ? [] : [{ section, page, pageToken, within: of.within }];
  });
  const body = { ...search, limit: PAGE, columns: requestedColumns(columns) };
  const pages = useQueries({
    queries: asked.map(({ pageToken, within }) => ({
      queryKey: ['searchRuns', body, within, pageToken],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        client.call('searchRuns', { body: { ...body, within, ...(pageToken === '' ? {} : { pageToken }) }, signal }),
      gcTime: KEPT,
      staleTime: LIVE.normal,
      refetchInterval: LIVE.slow,
      refetchOnWindowFocus: false,
      retry: false,
    })),
    combine,
  });
  const { data } = pages;
  const rows = new Map<string, RunRow[]>();
  for (const [i, { section, page }] of asked.entries()) if (data[i] !== undefined) rows.set(`${page} ${section}`, data[i].runs);
  // While an outline is renewed its pages have new tokens: what was there stays until they have come.
  const of = JSON.stringify(body);
  const [last, setLast] = useState({ of, data, rows });
  if (rows.size > 0 && rows.size >= asked.length && last.data !== data) setLast({ of, data, rows });
  const rowsOf = (section: string, page: number): RunRow[] | undefined =>
    rows.get(`${page} ${section}`) ?? (last.of === of ? last.rows.get(`${page} ${section}`) : undefined);
  return {
    outlineOf: (section: string) => outlines[places.get(section) ?? -1],
    rowsOf,
    loaded: [...rows.values()],
    fetching: pages.fetching,
    error: (pages.error ?? outlines.find((one) => one.isError)?.error ?? null) as BinnacleApiError | null,
  };
}
