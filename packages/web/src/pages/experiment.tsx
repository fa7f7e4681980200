import { Button, Group, SegmentedControl, Switch, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowsDiff, IconChartDots, IconFlask, IconRestore, IconTrash } from '@tabler/icons-react';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { LIVE, useApi } from '../app/api.ts';
import type { ExperimentSearch, View } from '../app/search.ts';
import { RunsPlot } from '../features/plot/runs-plot.tsx';
import { ColumnPicker } from '../features/runs/column-picker.tsx';
import { defaultColumns, fitLink, parseColumn } from '../features/runs/columns.ts';
import { FilterBox } from '../features/runs/filter-box.tsx';
import { GroupPicker } from '../features/runs/group-picker.tsx';
import { groupable } from '../features/runs/groups.ts';
import { RunsTable } from '../features/runs/runs-table.tsx';
import { useRuns } from '../features/runs/use-runs.ts';
import { useStage } from '../features/runs/use-stage.ts';
import { MOST_TICKED, useTicks } from '../features/runs/use-ticks.ts';
import { useVarying } from '../features/runs/use-varying.ts';
import { useView } from '../features/runs/use-view.ts';
import { trackingSnippets } from '../features/snippets/index.ts';
import { useServer } from '../features/snippets/use-server.ts';
import { named, openView } from '../features/views/state.ts';
import { ViewsMenu } from '../features/views/views-menu.tsx';
import { EmptyState } from '../ui/empty.tsx';
import { formatInt, plural } from '../ui/format.ts';
import { Page } from '../ui/page.tsx';
import { ErrorState, Loading } from '../ui/states.tsx';

const route = getRouteApi('/experiments/$experimentId');
const NOTHING: string[] = [];

export function ExperimentPage() {
  const server = useServer();
  const router = useRouter();
  const { experimentId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = useCallback(
    (change: Partial<ExperimentSearch>) =>
      void navigate({
        search: (s) => {
          const next = { ...s, ...change };
          // A view whose every setting was undone is not opened anew.
          return s.view === undefined ? next : named('runs', next);
        },
        replace: true,
      }),
    [navigate],
  );
  const open = useCallback((next: ExperimentSearch) => void navigate({ search: () => next, replace: true }), [navigate]);
  const { ready, missing } = useView(experimentId, search, open);

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
  const view = search.stage ?? 'active';
  const by = useMemo(() => groupable(search.group ?? NOTHING), [search.group]);
  const openGroups = search.open ?? NOTHING;
  const runs = useRuns(experimentId, { filter: search.filter ?? '', sort: search.sort, columns: ready ? columns : undefined, view, by, open: openGroups });
  const shown = useVarying(search.diff === true && by.length === 0, runs.key, runs.loaded, columns ?? NOTHING);
  const selected = search.sel ?? NOTHING;
  const onSelect = useCallback((ids: string[]) => set({ sel: ids.length === 0 ? undefined : ids }), [set]);
  const ticks = useTicks({ search: runs.search, by, selected, firstRuns: runs.firstRuns, onSelect });
  const stage = useStage(selected, onSelect);
  const pick = (cols: string[]) => {
    const kept = fitLink(cols);
    if (kept.length < cols.length)
      notifications.show({ color: 'yellow', message: `A link holds no more columns: ${kept.length} of ${cols.length} were kept.` });
    set({ cols: kept });
  };
  const toggleGroup = (id: string) => {
    const next = openGroups.includes(id) ? openGroups.filter((one) => one !== id) : [...openGroups, id];
    set({ open: next.length === 0 ? undefined : next });
  };

  /** The whole state and no view's name, so that it holds when the view is changed or gone. */
  const link = () => {
    const whole = named('runs', { ...search, view: undefined, ...(columns === undefined ? {} : { cols: columns }) });
    return new URL(router.buildLocation({ to: '/experiments/$experimentId', params: { experimentId }, search: whole }).href, location.origin).href;
  };

  if (experiment.isError && experiment.data === undefined)
    return (
      <Page title="Experiment" crumbs={[{ label: 'Experiments', link: { to: '/experiments' } }]}>
        <ErrorState error={experiment.error} retry={experiment.refetch} />
      </Page>
    );
  const empty = experiment.data?.runCount === 0 && runs.lines.count === 0 && search.filter === undefined && view === 'active' && !runs.pending;
  const hidden = search.diff === true && columns !== undefined ? columns.length - shown.length : 0;

  return (
    <Page
      title={experiment.data?.name ?? 'Experiment'}
      crumbs={[{ label: 'Experiments', link: { to: '/experiments' } }, { label: experiment.data?.name ?? experimentId }]}
      description={experiment.data?.tags['mlflow.note.content']}
      actions={
        empty ? undefined : (
          <>
            <Button
              variant={search.plot === true ? 'light' : 'default'}
              aria-pressed={search.plot === true}
              leftSection={<IconChartDots size={15} aria-hidden />}
              onClick={() => set({ plot: search.plot === true ? undefined : true })}
            >
              Scatter plot
            </Button>
            <ViewsMenu
              experimentId={experimentId}
              page="runs"
              search={search as Record<string, unknown>}
              current={search.view}
              link={link}
              onOpen={(next) =>
                next?.page === 'compare'
                  ? void navigate({ to: '/compare', search: openView(next) })
                  : open(next === undefined ? named('runs', {}) : openView(next))
              }
              onName={(name) => open(named('runs', { ...search, view: name }))}
            />
          </>
        )
      }
    >
      {missing !== undefined && (
        <Text size="sm" c="dimmed" role="status">
          There is no view “{missing}” in this experiment: all runs are shown.
        </Text>
      )}
      {empty ? (
        <EmptyState icon={<IconFlask size={30} />} title="No runs yet" snippets={trackingSnippets(server, experiment.data?.name)}>
          Runs appear here while they are being logged.
        </EmptyState>
      ) : (
        <>
          {search.plot === true && ready && (
            <RunsPlot
              experimentId={experimentId}
              runs={runs.search}
              columns={columns ?? NOTHING}
              search={search}
              set={set}
              selected={selected}
              onSelect={onSelect}
            />
          )}
          <section className="bn-panel" aria-label="Runs">
            <Group p="xs" gap="xs" align="flex-start" style={{ borderBottom: '1px solid var(--bn-border)' }}>
              <FilterBox
                value={search.filter ?? ''}
                onApply={(filter) => set({ filter: filter === '' ? undefined : filter, sel: undefined })}
                error={runs.error}
              />
              <ColumnPicker experimentId={experimentId} columns={columns ?? NOTHING} onChange={pick} onReset={() => set({ cols: undefined })} />
              <GroupPicker experimentId={experimentId} by={by} onChange={(next) => set({ group: next.length === 0 ? undefined : next, open: undefined })} />
              <SegmentedControl
                aria-label="Which runs"
                value={view}
                onChange={(next) => set({ stage: next === 'active' ? undefined : (next as View), sel: undefined })}
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
                  ? `${plural(selected.length, 'run')} ticked${selected.length === MOST_TICKED ? ', the most that can be compared' : ''}`
                  : runs.pending
                    ? ''
                    : `${formatInt(runs.total)}${runs.counting || runs.truncated ? '+' : ''} ${runs.total === 1 ? 'run' : 'runs'}${experiment.data !== undefined && search.filter === undefined && view === 'active' ? ` of ${formatInt(experiment.data.runCount)}` : ''}`}
                {runs.grouped && !runs.pending ? ` · ${plural(runs.groups.total, 'group')}; mean ± standard deviation` : ''}
                {hidden > 0 ? ` · ${plural(hidden, 'equal column')} hidden` : ''}
              </Text>
              {selected.length > 0 && (
                <>
                  <Button
                    leftSection={<IconArrowsDiff size={15} aria-hidden />}
                    disabled={selected.length < 2 || selected.length > MOST_TICKED}
                    onClick={() => void navigate({ to: '/compare', search: { runs: selected } })}
                  >
                    Compare{selected.length > MOST_TICKED ? ` (at most ${MOST_TICKED})` : ''}
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
                    <Button
                      variant="default"
                      leftSection={<IconTrash size={15} aria-hidden />}
                      onClick={() => stage.mutate('deleted')}
                      loading={stage.isPending}
                    >
                      Delete
                    </Button>
                  )}
                  <Button variant="subtle" color="gray" onClick={() => onSelect([])}>
                    Untick all
                  </Button>
                </>
              )}
            </Group>
            {available.isError && <ErrorState error={available.error} retry={available.refetch} compact />}
            {runs.pending && runs.error === null ? (
              <div style={{ padding: 14 }}>
                <Loading lines={10} />
              </div>
            ) : (
              <>
                <RunsTable
                  lines={runs.lines}
                  of={runs.key}
                  columns={shown}
                  widths={search.widths}
                  onWidths={(widths) => set({ widths: Object.keys(widths).length === 0 ? undefined : widths })}
                  sort={search.sort}
                  onSort={(sort) => set({ sort })}
                  selected={selected}
                  onTick={ticks.onTick}
                  onTickAll={ticks.onTickAll}
                  onRange={runs.onRange}
                  loading={runs.fetching}
                  groups={runs.grouped ? { by, ticked: ticks.tickedOf, onTick: (group) => void ticks.onTickGroup(group), onToggle: toggleGroup } : undefined}
                />
                {runs.lines.count === 0 && runs.error === null && (
                  <Text c="dimmed" size="sm" p="md" ta="center">
                    No run matches{search.filter !== undefined ? ' the filter' : ''}.
                  </Text>
                )}
              </>
            )}
          </section>
        </>
      )}
    </Page>
  );
}
