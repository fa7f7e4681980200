import type { RunRow } from '@binnacle/contract';
import type { BinnacleApiError } from '@binnacle/sdk';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { client, LIVE } from '../../app/api.ts';
import type { View } from '../../app/search.ts';
import { requestedColumns } from './columns.ts';
import { withinGroup } from './groups.ts';
import { type Line, linesOf } from './lines.ts';
import { useRunGroups } from './use-run-groups.ts';
import { PAGE, type RunSearch, type Section, useRunPages, type Wanted } from './use-run-pages.ts';

const STEP = PAGE / 2;
/** The one section of runs that are not grouped. */
const ALL = '';
const NO_RUNS: RunRow[] = [];

interface Options {
  filter: string;
  sort: string | undefined;
  columns: string[] | undefined;
  view: View;
  /** What the runs are grouped by; empty: they stand alone. */
  by: string[];
  /** Ids of the groups that are open. */
  open: readonly string[];
}

/**
 * The lines of the runs table: runs, or groups and the runs of those that are open. Only the pages that are looked at are read, wherever
 * they are; the first is asked again while the tab is looked at, so that new runs appear by themselves.
 */
export function useRuns(experimentId: string, { filter, sort, columns, view, by, open }: Options) {
  const grouped = by.length > 0;
  const { shown: accepted, refusal, note } = useAccepted(`${experimentId} ${view}`, filter, JSON.stringify([sort, by]));
  const search: RunSearch = { experimentIds: [experimentId], filter: accepted, view, orderBy: sort === undefined ? [] : [sort] };
  const shown = columns ?? [];
  const body = { ...search, limit: PAGE, columns: requestedColumns(shown) };
  const first = useQuery({
    queryKey: ['searchRuns', body],
    queryFn: ({ signal }) => client.call('searchRuns', { body, signal }),
    placeholderData: keepPreviousData,
    enabled: columns !== undefined && !grouped,
    refetchInterval: LIVE.normal,
    retry: false,
  });
  const groups = useRunGroups(search, { by, sort, columns: shown, enabled: columns !== undefined && grouped });

  const [range, setRange] = useState<{ from: number; to: number }>({ from: 0, to: 0 });
  // In steps of half a page, so that the page around the table is drawn again when it must read and not with every row.
  const onRange = useCallback((first: number, last: number) => {
    const from = Math.floor(first / STEP) * STEP;
    const to = Math.ceil(last / STEP) * STEP;
    setRange((old) => (old.from === from && old.to === to ? old : { from, to }));
  }, []);

  const openSet = useMemo(() => new Set(open), [open]);
  const layout = useMemo(() => linesOf(groups.groups, openSet), [groups.groups, openSet]);
  const head = grouped || first.isPlaceholderData ? undefined : first.data;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = groups.pages;
  const nearEnd = grouped && range.to >= layout.count - 40;
  useEffect(() => {
    if (nearEnd && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [nearEnd, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const sections: Section[] = grouped
    ? groups.groups.flatMap((group) => (openSet.has(group.id) ? [{ id: group.id, within: withinGroup(by, group.values), long: group.runs > PAGE }] : []))
    : [{ id: ALL, within: [], long: head?.nextPageToken !== undefined, withoutFirst: true }];
  const wanted: Wanted[] = grouped ? layout.pages(range.from, range.to, PAGE) : pagesBetween(range.from, range.to);
  const pages = useRunPages(search, shown, sections, wanted);

  const outline = pages.outlineOf(ALL);
  // The outline was made before runs came or went: the first page ends elsewhere.
  const stale = head !== undefined && outline?.data !== undefined && outline.data.pages[0]?.pageToken !== head.nextPageToken;
  useRenewed(stale, outline?.refetch, outline?.dataUpdatedAt ?? 0);

  const main = grouped ? groups.pages : first;
  note(main.isSuccess && !main.isPlaceholderData, main.error as BinnacleApiError | null);
  const firstRuns = first.data?.runs ?? NO_RUNS;

  const total = grouped ? groups.runs : head?.nextPageToken === undefined ? firstRuns.length : Math.max(outline?.data?.total ?? 0, firstRuns.length);
  const lineAt = (i: number): Line => {
    if (grouped) return layout.at(i, (id, at) => pages.rowsOf(id, Math.floor(at / PAGE))?.[at % PAGE]);
    const page = Math.floor(i / PAGE);
    const run = page === 0 ? firstRuns[i] : pages.rowsOf(ALL, page)?.[i % PAGE];
    return run === undefined ? { kind: 'wait' } : { kind: 'run', run, inside: false };
  };
  const error = refusal ?? (grouped ? groups.error : (first.error as BinnacleApiError | null)) ?? pages.error;
  return {
    search,
    grouped,
    lines: { count: grouped ? layout.count : total, at: lineAt },
    /** Of which one knows what they hold. */
    loaded: grouped ? pages.loaded : [firstRuns, ...pages.loaded],
    firstRuns,
    groups,
    /** Runs that match; so far as is known while `counting`. */
    total,
    counting: !grouped && head?.nextPageToken !== undefined && outline?.data === undefined,
    truncated: outline?.data?.truncated === true,
    pending: grouped ? groups.pages.isPending : first.isPending,
    fetching: pages.fetching || groups.pages.isFetchingNextPage,
    error,
    onRange,
    /** Changes with what is searched for. */
    key: JSON.stringify([search, by]),
  };
}

/** The pages that lines come from, and the next on either side. */
function pagesBetween(from: number, to: number): Wanted[] {
  const first = Math.max(0, Math.floor((from - STEP) / PAGE));
  const last = Math.floor((to + STEP) / PAGE);
  return Array.from({ length: last - first + 1 }, (_, i) => ({ section: ALL, page: first + i }));
}

/** Asks again when there is a reason, and not before what was asked last is ten seconds old. */
function useRenewed(needed: boolean, refetch: (() => unknown) | undefined, at: number): void {
  useEffect(() => {
    if (!needed || refetch === undefined) return undefined;
    const timer = setTimeout(() => void refetch(), Math.max(0, at + 10_000 - Date.now()));
    return () => clearTimeout(timer);
  }, [needed, refetch, at]);
}

/**
 * A filter that the server refuses must not empty the table: what was accepted last is shown below the message. `note` tells of the answer
 * to what is shown.
 */
function useAccepted(of: string, filter: string, rest: string) {
  const asked = JSON.stringify([of, filter, rest]);
  const [good, setGood] = useState<{ of: string; filter: string } | undefined>();
  const [refused, setRefused] = useState<{ asked: string; error: BinnacleApiError } | undefined>();
  const isRefused = refused?.asked === asked;
  const shown = isRefused && good?.of === of ? good.filter : filter;
  return {
    shown,
    refusal: isRefused ? refused.error : null,
    note(accepted: boolean, error: BinnacleApiError | null) {
      if (accepted && (good?.of !== of || good.filter !== shown)) setGood({ of, filter: shown });
      if (error?.status === 400 && shown === filter && !isRefused) setRefused({ asked, error });
    },
  };
}
