import type { RunRow } from '@binnacle/contract';
import { Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import { client, useApi } from '../../app/api.ts';
import type { ExperimentSearch } from '../../app/search.ts';
import type { AxisValue } from '../../charts/axis.ts';
import { formatInt } from '../../ui/format.ts';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { cellValue, parseColumn, requestedColumns } from '../runs/columns.ts';
import type { RunSearch } from '../runs/use-run-pages.ts';
import { MOST_TICKED } from '../runs/use-ticks.ts';
import { type PlotState, ScatterPanel } from './scatter-panel.tsx';

/** Points that are drawn; of more runs the first in the table's order. */
const MOST_POINTS = 10_000;
const PAGE = 5000;
const NO_RUNS: RunRow[] = [];
const ATTRIBUTES = ['started', 'duration', 'user', 'status', 'dataset'].map((key) => ({ value: `a:${key}`, label: key }));

/** The scatter plot over the runs that the table's filter matches. */
export function RunsPlot({
  experimentId,
  runs: search,
  columns,
  search: state,
  set,
  selected,
  onSelect,
}: {
  experimentId: string;
  runs: RunSearch;
  columns: string[];
  search: ExperimentSearch;
  set: (change: PlotState) => void;
  selected: string[];
  onSelect: (ids: string[]) => void;
}) {
  const [query, setQuery] = useState('');
  const [q] = useDebouncedValue(query.trim(), 150);
  const found = useApi('listExperimentColumns', { params: { experimentId }, query: { q: q === '' ? undefined : q, limit: 200 } }, { keepPrevious: true });
  const plot = withDefaults(state, columns);
  const body = { ...search, columns: requestedColumns([plot.x, plot.y, plot.color].filter((id) => id !== undefined)), limit: PAGE };
  const read = useQuery({
    queryKey: ['searchRuns', 'plot', body],
    queryFn: async ({ signal }) => {
      const rows: RunRow[] = [];
      let pageToken: string | undefined;
      do {
        const page = await client.call('searchRuns', { body: { ...body, ...(pageToken === undefined ? {} : { pageToken }) }, signal });
        for (const run of page.runs) rows.push(run);
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined && rows.length < MOST_POINTS);
      return { rows, more: pageToken !== undefined };
    },
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
    retry: false,
  });
  const runs = read.data?.rows ?? NO_RUNS;
  const valuesOf = useCallback(
    (id: string): AxisValue[] => {
      const column = parseColumn(id);
      return runs.map((run) => (column === undefined ? null : cellValue(run, column)));
    },
    [runs],
  );
  const choices = useMemo(() => {
    const of = (kind: string, keys: string[] = []) => keys.map((key) => ({ value: `${kind}:${key}`, label: key }));
    return {
      groups: [
        { group: 'Metrics', items: of('m', found.data?.metrics) },
        { group: 'Params', items: of('p', found.data?.params) },
        { group: 'Attributes', items: ATTRIBUTES },
        { group: 'Tags', items: of('t', found.data?.tags) },
      ],
      onSearch: setQuery,
    };
  }, [found.data]);
  if (read.isPending) return <Loading lines={8} />;
  // The filter box says it, too, when it is the filter.
  if (read.isError && read.data === undefined) return <ErrorState error={read.error} retry={read.refetch} compact />;
  return (
    <ScatterPanel
      runs={runs}
      valuesOf={valuesOf}
      choices={choices}
      state={plot}
      set={set}
      selected={selected}
      onSelect={(ids) => onSelect(ids.slice(0, MOST_TICKED))}
      note={
        <Text size="xs" c="dimmed">
          {formatInt(runs.length)} runs{read.data.more ? ', the first in the order of the table' : ''}
          {selected.length >= MOST_TICKED ? `; ${MOST_TICKED} are ticked, no more can be compared` : ''}
        </Text>
      }
    />
  );
}

/** Until somebody picks: the first param against the first metric shown, or two metrics. */
function withDefaults(state: PlotState, columns: string[]): PlotState {
  const metrics = columns.filter((id) => id.startsWith('m:'));
  const params = columns.filter((id) => id.startsWith('p:'));
  return {
    x: state.x ?? params[0] ?? metrics[1] ?? 'a:started',
    y: state.y ?? metrics[0] ?? 'a:duration',
    color: state.color,
    logx: state.logx,
    logy: state.logy,
  };
}
