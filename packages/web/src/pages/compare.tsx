import { Button, Group, MultiSelect, Stack, Switch, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { getRouteApi, Link, useRouter } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { LIVE, useApi } from '../app/api.ts';
import type { CompareSearch } from '../app/search.ts';
import { isWithin, ParallelCoordinates } from '../charts/parallel.tsx';
import { CompareTable } from '../features/compare/compare-table.tsx';
import { axisId, type Comparison, makeAxis, orderRows, plotDefaults, plotId, plotRows, varyingAxes } from '../features/compare/rows.ts';
import { ChartControls } from '../features/metrics/chart-controls.tsx';
import { MetricGrid } from '../features/metrics/metric-charts.tsx';
import { ScatterPanel } from '../features/plot/scatter-panel.tsx';
import { useFinalLook } from '../features/use-final-look.ts';
import { openView } from '../features/views/state.ts';
import { ViewsMenu } from '../features/views/views-menu.tsx';
import { formatNumber, plural } from '../ui/format.ts';
import { Page, Panel } from '../ui/page.tsx';
import { QueryView } from '../ui/states.tsx';

const route = getRouteApi('/compare');
const NOTHING: string[] = [];
const NO_BRUSH: NonNullable<CompareSearch['brush']> = {};

export function ComparePage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const router = useRouter();
  const set = (change: Partial<CompareSearch>) => void navigate({ search: (s) => ({ ...s, ...change }), replace: true });
  const runIds = search.runs ?? NOTHING;
  const query = useApi(
    'compareRuns',
    { body: { runIds } },
    { enabled: runIds.length > 0, keepPrevious: true, refetchInterval: (q) => (q.state.data?.runs.some((r) => r.status === 'RUNNING') ? LIVE.normal : false) },
  );
  useFinalLook(
    query.data?.runs.some((r) => r.status === 'RUNNING'),
    ['getSeries'],
  );
  return (
    <Page
      title={runIds.length === 0 ? 'Compare runs' : `Compare ${plural(runIds.length, 'run')}`}
      crumbs={[{ label: 'Experiments', link: { to: '/experiments' } }, { label: 'Compare' }]}
      actions={
        query.data?.runs[0] === undefined ? undefined : (
          <ViewsMenu
            experimentId={query.data.runs[0].experimentId}
            page="compare"
            search={search as Record<string, unknown>}
            current={search.view}
            link={() => new URL(router.buildLocation({ to: '/compare', search: { ...search, view: undefined } }).href, location.origin).href}
            onOpen={(view) => {
              if (view === undefined) void navigate({ search: { runs: search.runs }, replace: true });
              else if (view.page === 'compare') void navigate({ search: openView(view) });
              else void navigate({ to: '/experiments/$experimentId', params: { experimentId: view.experimentId }, search: openView(view) });
            }}
            onName={(view) => set({ view })}
          />
        )
      }
    >
      {runIds.length === 0 ? (
        <Text c="dimmed">
          Tick two or more runs in an{' '}
          <Link to="/experiments" className="bn-link">
            experiment
          </Link>{' '}
          and press Compare.
        </Text>
      ) : (
        <QueryView query={query} lines={12}>
          {(data) => <Comparing data={data} search={search} set={set} />}
        </QueryView>
      )}
    </Page>
  );
}

function Comparing({ data, search, set }: { data: Comparison; search: CompareSearch; set: (change: Partial<CompareSearch>) => void }) {
  const [find, setFind] = useState('');
  const rows = useMemo(() => orderRows(data.rows, search.diff === true, find), [data.rows, search.diff, find]);
  const runs = useMemo(() => data.runs.map((r) => ({ id: r.id, name: r.name || r.id })), [data.runs]);
  const metricKeys = useMemo(() => data.rows.filter((r) => r.kind === 'metric').map((r) => r.key), [data.rows]);
  const metrics = search.metrics ?? metricKeys.filter((key) => !key.startsWith('system/')).slice(0, 4);
  const axisChoices = useMemo(
    () => data.rows.filter((r) => r.kind === 'param' || r.kind === 'metric').map((r) => ({ value: axisId(r), label: r.key })),
    [data.rows],
  );
  const axisIds = useMemo(() => search.axes ?? varyingAxes(data.rows, 7), [search.axes, data.rows]);
  const axes = useMemo(
    () => axisIds.flatMap((id) => data.rows.filter((r) => axisId(r) === id).map((r) => makeAxis(r, (v) => formatNumber(v, 3)))),
    [axisIds, data.rows],
  );
  const brush = search.brush ?? NO_BRUSH;
  const within = useMemo(
    () => (axes.some(({ id }) => brush[id] !== undefined) ? data.runs.flatMap((run, i) => (isWithin(axes, brush, i) ? [run.id] : [])) : undefined),
    [axes, brush, data.runs],
  );
  const plotChoices = useMemo(() => ({ groups: plotRows(data.rows) }), [data.rows]);
  const plotValues = useCallback((id: string) => data.rows.find((row) => plotId(row) === id)?.values ?? data.runs.map(() => null), [data]);
  const [ticked, setPicked] = useState<string[]>(NOTHING);
  const picked = useMemo(() => ticked.filter((id) => data.runs.some((run) => run.id === id)), [ticked, data.runs]);
  const zoom = search.from !== undefined && search.to !== undefined ? ([search.from, search.to] as [number, number]) : null;
  const equal = data.rows.filter((r) => !r.differs).length;

  return (
    <Stack gap="md">
      <Panel
        title="Side by side"
        flush
        actions={
          <>
            <TextInput
              aria-label="Search rows"
              placeholder="Search"
              value={find}
              onChange={(e) => setFind(e.currentTarget.value)}
              leftSection={<IconSearch size={14} aria-hidden />}
              w={160}
            />
            <Switch
              label={`Only differences${equal > 0 ? ` (${equal} equal)` : ''}`}
              checked={search.diff === true}
              onChange={(e) => set({ diff: e.currentTarget.checked ? true : undefined })}
            />
          </>
        }
      >
        <CompareTable data={data} rows={rows} onRemove={(id) => set({ runs: data.runs.map((r) => r.id).filter((r) => r !== id) })} />
      </Panel>
      {data.runs.length > 1 && axes.length > 1 && (
        <Panel
          title="Parallel coordinates"
          actions={
            <MultiSelect
              aria-label="Axes"
              data={axisChoices}
              value={axisIds}
              onChange={(next) => set({ axes: next })}
              searchable
              maxValues={14}
              w={{ base: '100%', sm: 420 }}
              limit={200}
              hidePickedOptions
            />
          }
        >
          <ParallelCoordinates
            axes={axes}
            runs={runs}
            brushes={brush}
            onBrush={(axis, range) => {
              const { [axis]: _, ...others } = brush;
              const next = range === undefined ? others : { ...others, [axis]: range };
              set({ brush: Object.keys(next).length === 0 ? undefined : next });
            }}
          />
          <Group gap="sm" mt={4}>
            <Text size="xs" c="dimmed" aria-live="polite">
              {within === undefined
                ? 'Draw along an axis to keep the runs that go through there.'
                : `${within.length} of ${plural(runs.length, 'run')} go through.`}
            </Text>
            {within !== undefined && (
              <>
                <Button
                  variant="default"
                  size="compact-sm"
                  disabled={within.length === 0 || within.length === runs.length}
                  onClick={() => set({ runs: within, brush: undefined })}
                >
                  Compare only these
                </Button>
                <Button variant="subtle" color="gray" size="compact-sm" onClick={() => set({ brush: undefined })}>
                  Show all
                </Button>
              </>
            )}
          </Group>
        </Panel>
      )}
      {data.runs.length > 1 && (
        <ScatterPanel
          runs={runs}
          valuesOf={plotValues}
          choices={plotChoices}
          state={{ ...plotDefaults(data.rows), ...search }}
          set={set}
          selected={picked}
          onSelect={setPicked}
          note={
            picked.length > 0 && (
              <>
                <Button variant="default" size="compact-sm" disabled={picked.length < 2} onClick={() => set({ runs: picked })}>
                  Compare only {plural(picked.length, 'ticked run')}
                </Button>
                <Button variant="subtle" color="gray" size="compact-sm" onClick={() => setPicked(NOTHING)}>
                  Untick all
                </Button>
              </>
            )
          }
        />
      )}
      {metricKeys.length > 0 && (
        <Stack gap="sm">
          <Group gap="md">
            <MultiSelect
              aria-label="Metrics to draw"
              data={metricKeys}
              value={metrics.filter((m) => metricKeys.includes(m))}
              onChange={(next) => set({ metrics: next })}
              searchable
              maxValues={24}
              limit={200}
              hidePickedOptions
              maw={560}
              miw={260}
              placeholder="Metrics to draw"
            />
            <ChartControls
              smoothing={search.smooth ?? 0}
              onSmoothing={(value) => set({ smooth: value === 0 ? undefined : value })}
              zoomed={zoom !== null}
              onReset={() => set({ from: undefined, to: undefined })}
            />
          </Group>
          <MetricGrid
            metrics={metrics.filter((m) => metricKeys.includes(m))}
            runs={runs}
            zoom={zoom}
            onZoom={(range) => set({ from: range?.[0], to: range?.[1] })}
            smoothing={search.smooth ?? 0}
            log={false}
            live={data.runs.some((r) => r.status === 'RUNNING')}
            height={230}
          />
        </Stack>
      )}
    </Stack>
  );
}
