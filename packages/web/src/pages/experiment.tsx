import { Button, Group, SegmentedControl, Switch, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowsDiff, IconFlask, IconRestore, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { client, LIVE, problemOf, useApi } from '../app/api.ts';
import type { ExperimentSearch, View } from '../app/search.ts';
import { inTurns } from '../features/in-turns.ts';
import { ColumnPicker } from '../features/runs/column-picker.tsx';
import { defaultColumns, fitLink, parseColumn, varyingColumns } from '../features/runs/columns.ts';
import { FilterBox } from '../features/runs/filter-box.tsx';
import { GroupPicker } from '../features/runs/group-picker.tsx';
import { groupable, groupRuns } from '../features/runs/groups.ts';
import { RunsTable } from '../features/runs/runs-table.tsx';
import { MOST_GROUPED, useRuns } from '../features/runs/use-runs.ts';
import { trackingSnippets } from '../features/snippets/index.ts';
import { useServer } from '../features/snippets/use-server.ts';
import { EmptyState } from '../ui/empty.tsx';
import { formatInt, plural } from '../ui/format.ts';
import { Page } from '../ui/page.tsx';
import { ErrorState, Loading } from '../ui/states.tsx';

const route = getRouteApi('/experiments/$experimentId');
const NOTHING: string[] = [];

export function ExperimentPage() {
  const server = useServer();
  const { experimentId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = useCallback((change: Partial<ExperimentSearch>) => void navigate({ search: (s) => ({ ...s, ...change }), replace: true }), [navigate]);

  const experiment = useApi('getExperiment', { params: { experimentId } }, { refetchInterval: 10_000 });
  const available = useApi(
    'listExperimentColumns',
    { params: { experimentId }, query: { limit: 50 } },
    {
      enabled: search.cols === undefined,
      staleTime: 60_000,
      // The first run has logged nothing yet when its page is opened.
      refetchInterval: (q) => (q.state.data === undefined || q.state.data.metrics.length === 0 || q.state.data.params.length === 0 ? LIVE.normal : LIVE.slow),
    },
  );
  const columns = useMemo(
    () => search.cols?.filter((id) => parseColumn(id) !== undefined) ?? (available.data === undefined ? undefined : defaultColumns(available.data)),
    [search.cols, available.data],
  );
  const view = search.view ?? 'active';
  const by = useMemo(() => groupable(search.group ?? NOTHING), [search.group]);
  const { runs, pages, error } = useRuns(experimentId, { filter: search.filter ?? '', sort: search.sort, columns, view, group: by });
  const groups = useMemo(() => (by.length === 0 ? undefined : { by, list: groupRuns(runs, by, search.sort) }), [runs, by, search.sort]);
  const shown = useMemo(() => (search.diff === true ? varyingColumns(runs, columns ?? NOTHING) : (columns ?? NOTHING)), [search.diff, runs, columns]);
  const selected = search.sel ?? NOTHING;
  const pick = (cols: string[]) => {
    const kept = fitLink(cols);
    if (kept.length < cols.length)
      notifications.show({ color: 'yellow', message: `A link holds no more columns: ${kept.length} of ${cols.length} were kept.` });
    set({ cols: kept });
  };
  const queries = useQueryClient();
  const stage = useMutation({
    mutationFn: (lifecycleStage: 'active' | 'deleted') =>
      inTurns(selected, 4, (runId) => client.call('updateRun', { params: { runId }, body: { lifecycleStage } })),
    onSuccess: (failed) => {
      // What could not be changed stays ticked, to be tried again.
      set({ sel: failed.length === 0 ? undefined : failed.map(({ item }) => item) });
      if (failed.length > 0)
        notifications.show({
          title: `${plural(failed.length, 'run')} of ${selected.length} could not be changed`,
          message: problemOf(failed[0]?.error).detail,
          color: 'red',
          autoClose: 10_000,
        });
      void queries.invalidateQueries();
    },
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  if (experiment.isError && experiment.data === undefined)
    return (
      <Page title="Experiment" crumbs={[{ label: 'Experiments', link: { to: '/experiments' } }]}>
        <ErrorState error={experiment.error} retry={experiment.refetch} />
      </Page>
    );
  const empty = experiment.data?.runCount === 0 && runs.length === 0 && search.filter === undefined && view === 'active' && !pages.isPending;

  return (
    <Page
      title={experiment.data?.name ?? 'Experiment'}
      crumbs={[{ label: 'Experiments', link: { to: '/experiments' } }, { label: experiment.data?.name ?? experimentId }]}
      description={experiment.data?.tags['mlflow.note.content']}
    >
      {empty ? (
        <EmptyState icon={<IconFlask size={30} />} title="No runs yet" snippets={trackingSnippets(server, experiment.data?.name)}>
          Runs appear here while they are being logged.
        </EmptyState>
      ) : (
        <section className="bn-panel" aria-label="Runs">
          <Group p="xs" gap="xs" align="flex-start" style={{ borderBottom: '1px solid var(--bn-border)' }}>
            <FilterBox value={search.filter ?? ''} onApply={(filter) => set({ filter: filter === '' ? undefined : filter, sel: undefined })} error={error} />
            <ColumnPicker experimentId={experimentId} columns={columns ?? NOTHING} onChange={pick} onReset={() => set({ cols: undefined })} />
            <GroupPicker experimentId={experimentId} by={by} onChange={(next) => set({ group: next.length === 0 ? undefined : next })} />
            <SegmentedControl
              aria-label="Which runs"
              value={view}
              onChange={(next) => set({ view: next === 'active' ? undefined : (next as View), sel: undefined })}
              data={[
                { value: 'active', label: 'Active' },
                { value: 'deleted', label: 'Deleted' },
              ]}
            />
            <Switch
              label="Only differences"
              checked={search.diff === true}
              onChange={(e) => set({ diff: e.currentTarget.checked ? true : undefined })}
              mt={5}
            />
          </Group>
          <Group px="sm" py={5} gap="sm" mih={38} style={{ borderBottom: '1px solid var(--bn-border)' }}>
            <Text size="xs" c="dimmed" aria-live="polite">
              {selected.length > 0
                ? `${plural(selected.length, 'run')} ticked${selected.length === 200 ? ', the most that can be compared' : ''}`
                : `${formatInt(runs.length)}${pages.hasNextPage ? '+' : ''} ${runs.length === 1 ? 'run' : 'runs'}${experiment.data !== undefined && search.filter === undefined && view === 'active' ? ` of ${formatInt(experiment.data.runCount)}` : ''}`}
              {groups === undefined
                ? ''
                : ` · ${plural(groups.list.length, 'group')}${pages.hasNextPage ? (runs.length < MOST_GROUPED ? ', more are being read' : `; only the first ${formatInt(runs.length)} runs are grouped, filter for others`) : ''}; mean ± standard deviation`}
              {search.diff === true && columns !== undefined && shown.length < columns.length
                ? ` · ${plural(columns.length - shown.length, 'equal column')} hidden`
                : ''}
            </Text>
            {selected.length > 0 && (
              <>
                <Button
                  leftSection={<IconArrowsDiff size={15} aria-hidden />}
                  disabled={selected.length < 2 || selected.length > 200}
                  onClick={() => void navigate({ to: '/compare', search: { runs: selected } })}
                >
                  Compare{selected.length > 200 ? ' (at most 200)' : ''}
                </Button>
                {view === 'deleted' ? (
                  <Button
                    variant="default"
                    leftSection={<IconRestore size={15} aria-hidden />}
                    onClick={() => stage.mutate('active')}
                    loading={stage.isPending}
                  >
                    Restore
                  </Button>
                ) : (
                  <Button variant="default" leftSection={<IconTrash size={15} aria-hidden />} onClick={() => stage.mutate('deleted')} loading={stage.isPending}>
                    Delete
                  </Button>
                )}
                <Button variant="subtle" color="gray" onClick={() => set({ sel: undefined })}>
                  Untick all
                </Button>
              </>
            )}
          </Group>
          {available.isError && <ErrorState error={available.error} retry={available.refetch} compact />}
          {pages.isPending && !pages.isError ? (
            <div style={{ padding: 14 }}>
              <Loading lines={10} />
            </div>
          ) : (
            <>
              <RunsTable
                runs={runs}
                columns={shown}
                sort={search.sort}
                onSort={(sort) => set({ sort })}
                selected={selected}
                onSelect={(sel) => set({ sel: sel.length === 0 ? undefined : sel })}
                onEnd={onEnd}
                loadingMore={pages.isFetchingNextPage}
                groups={groups}
              />
              {runs.length === 0 && !pages.isError && (
                <Text c="dimmed" size="sm" p="md" ta="center">
                  No run matches{search.filter !== undefined ? ' the filter' : ''}.
                </Text>
              )}
            </>
          )}
        </section>
      )}
    </Page>
  );
}
