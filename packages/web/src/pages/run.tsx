import type { MetricSummary, RunDetail } from '@binnacle/contract';
import { Button, Group, Menu, Table, Tabs, Text, Textarea, TextInput } from '@mantine/core';
import { IconDots, IconPencil } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { client, LIVE, useApi } from '../app/api.ts';
import type { RunSearch } from '../app/search.ts';
import { ArtifactBrowser } from '../features/artifacts/artifact-browser.tsx';
import { ChartControls } from '../features/metrics/chart-controls.tsx';
import { ChartSections } from '../features/metrics/chart-sections.tsx';
import { MetricsTable } from '../features/metrics/metrics-table.tsx';
import { FoldAll } from '../features/nested/fold-button.tsx';
import { ParamsTree } from '../features/nested/params-tree.tsx';
import { openness, sectionsOf } from '../features/nested/tree.ts';
import { fitLink } from '../features/runs/columns.ts';
import { useAction } from '../features/use-action.ts';
import { useFinalLook } from '../features/use-final-look.ts';
import { CopyIcon, State, Time } from '../ui/bits.tsx';
import { Elapsed } from '../ui/elapsed.tsx';
import { formatInt, plural } from '../ui/format.ts';
import { KeyValues, Page, Panel } from '../ui/page.tsx';
import { SearchInput } from '../ui/search-input.tsx';
import { ErrorState, QueryView } from '../ui/states.tsx';

const route = getRouteApi('/runs/$runId');
const NOTHING: string[] = [];
/** What the link keeps of the closed branches. */
const kept = (fold: string[]): string[] | undefined => (fold.length === 0 ? undefined : fitLink(fold));
const isLive = (run: RunDetail | undefined): boolean => run?.status === 'RUNNING' || run?.status === 'SCHEDULED';
/** What grows while a run goes on. */
const GROWING = ['getSeries', 'listMetricKeys', 'sparklines', 'listRunArtifacts'] as const;

export function RunPage() {
  const { runId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<RunSearch>, replace = true) => void navigate({ search: (s) => ({ ...s, ...change }), replace });
  const query = useApi('getRun', { params: { runId } }, { refetchInterval: (q) => (isLive(q.state.data) ? 4_000 : false) });
  const run = query.data;
  useFinalLook(run === undefined ? undefined : isLive(run), GROWING);
  const update = useAction('updateRun', { notifyError: true, done: 'Saved' });
  const [renaming, setRenaming] = useState<string | undefined>();

  return (
    <Page
      title={run?.name || runId}
      badge={run !== undefined && <State value={run.status} />}
      crumbs={[
        { label: 'Experiments', link: { to: '/experiments' } },
        ...(run === undefined
          ? []
          : [{ label: run.experimentName, link: { to: '/experiments/$experimentId', params: { experimentId: run.experimentId } } as const }]),
        { label: 'Run' },
      ]}
      actions={
        run !== undefined && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button variant="default" leftSection={<IconDots size={15} aria-hidden />}>
                Actions
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => setRenaming(run.name)}>Rename</Menu.Item>
              <Menu.Item onClick={() => update.mutate({ params: { runId }, body: { lifecycleStage: run.lifecycleStage === 'active' ? 'deleted' : 'active' } })}>
                {run.lifecycleStage === 'active' ? 'Delete' : 'Restore'}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )
      }
    >
      {renaming !== undefined && (
        <form
          onSubmit={(e) => {
            e.preventDefault();
            update.mutate({ params: { runId }, body: { name: renaming } }, { onSuccess: () => setRenaming(undefined) });
          }}
        >
          <Group gap="xs">
            <TextInput
              aria-label="Name of the run"
              value={renaming}
              onChange={(e) => setRenaming(e.currentTarget.value)}
              w={320}
              maxLength={500}
              data-autofocus
            />
            <Button type="submit" disabled={renaming.trim() === ''} loading={update.isPending}>
              Rename
            </Button>
            <Button variant="subtle" color="gray" onClick={() => setRenaming(undefined)}>
              Cancel
            </Button>
          </Group>
        </form>
      )}
      <QueryView query={query} lines={10}>
        {(data) => (
          <Tabs
            value={search.tab ?? 'overview'}
            onChange={(tab) => set({ tab: tab === 'overview' ? undefined : (tab as RunSearch['tab']), path: undefined, q: undefined }, false)}
            keepMounted={false}
          >
            <Tabs.List mb="md">
              <Tabs.Tab value="overview">Overview</Tabs.Tab>
              <Tabs.Tab value="charts">Charts</Tabs.Tab>
              <Tabs.Tab value="artifacts">Artifacts</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="overview">
              <Overview run={data} onOpen={(metric) => set({ tab: 'charts', q: metric }, false)} search={search} set={set} />
            </Tabs.Panel>
            <Tabs.Panel value="charts">
              <Charts run={data} search={search} set={set} />
            </Tabs.Panel>
            <Tabs.Panel value="artifacts">
              <ArtifactBrowser runId={runId} path={search.path} onPath={(path) => set({ path })} />
            </Tabs.Panel>
          </Tabs>
        )}
      </QueryView>
    </Page>
  );
}

const two = { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(430px, 100%), 1fr))', gap: 14, alignItems: 'start' } as const;

function Overview({
  run,
  search,
  set,
  onOpen,
}: {
  run: RunDetail;
  search: RunSearch;
  set: (change: Partial<RunSearch>) => void;
  onOpen: (metric: string) => void;
}) {
  const params = useMemo(() => Object.entries(run.params).sort(([a], [b]) => a.localeCompare(b)), [run.params]);
  const tags = Object.entries(run.tags)
    .filter(([key]) => key !== 'mlflow.note.content' && key !== 'mlflow.log-model.history')
    .sort(([a], [b]) => a.localeCompare(b));
  return (
    <div style={two}>
      <div style={{ display: 'grid', gap: 14, minWidth: 0 }}>
        <Panel title="Details">
          <KeyValues
            items={[
              ['Started', <Time key="s" at={run.startedAt} />],
              ['Duration', <Elapsed key="d" from={run.startedAt} to={run.endedAt} />],
              ['User', run.user || '–'],
              [
                'Experiment',
                <Link key="e" to="/experiments/$experimentId" params={{ experimentId: run.experimentId }} className="bn-link">
                  {run.experimentName}
                </Link>,
              ],
              [
                'Run id',
                <Group key="i" gap={4} wrap="nowrap">
                  <code className="break">{run.id}</code>
                  <CopyIcon text={run.id} label="Copy the run id" />
                </Group>,
              ],
              [
                'Artifacts',
                <code key="a" className="break">
                  {run.artifactUri}
                </code>,
              ],
              ...(run.lifecycleStage === 'deleted' ? [['State', 'deleted'] as [string, string]] : []),
            ]}
          />
        </Panel>
        <MetricsTable
          runId={run.id}
          total={run.metricKeys}
          query={search.q ?? ''}
          onQuery={(q) => set({ q: q === '' ? undefined : q })}
          onOpen={onOpen}
          live={isLive(run)}
          fold={search.fold ?? NOTHING}
          onFold={(fold) => set({ fold: kept(fold) })}
        />
        <Note run={run} />
      </div>
      <div style={{ display: 'grid', gap: 14, minWidth: 0 }}>
        <ParamsTree params={params} fold={search.pfold ?? NOTHING} onFold={(fold) => set({ pfold: kept(fold) })} />
        {run.models.length > 0 && (
          <Panel title="Models" flush>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Logged model</Table.Th>
                  <Table.Th>Registered as</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {run.models.map((m) => (
                  <Table.Tr key={m.modelId}>
                    <Table.Td className="break">
                      {m.name}
                      <br />
                      <Text span size="xs" c="dimmed">
                        {m.modelId}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      {m.versions.length === 0
                        ? '–'
                        : m.versions.map((v) => (
                            <div key={`${v.name}/${v.version}`}>
                              <Link to="/models/$model/versions/$version" params={{ model: v.name, version: String(v.version) }} className="bn-link">
                                {v.name} v{v.version}
                              </Link>
                            </div>
                          ))}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Panel>
        )}
        {run.datasets.length > 0 && (
          <Panel title="Datasets" flush>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Use</Table.Th>
                  <Table.Th>Digest</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {run.datasets.map((d) => (
                  <Table.Tr key={`${d.name}/${d.digest}/${d.context}`}>
                    <Table.Td className="break">
                      {d.name}
                      <br />
                      <Text span size="xs" c="dimmed">
                        {d.sourceType}
                      </Text>
                    </Table.Td>
                    <Table.Td>{d.context ?? '–'}</Table.Td>
                    <Table.Td>
                      <code>{d.digest}</code>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Panel>
        )}
        <Panel title={`Tags (${formatInt(tags.length)})`}>
          {tags.length === 0 ? (
            <Text c="dimmed" size="sm">
              No tags.
            </Text>
          ) : (
            <KeyValues
              items={tags.map(([key, value]) => [
                key,
                <span key={key} className="break">
                  {value.length > 600 ? `${value.slice(0, 600)} …` : value}
                </span>,
              ])}
            />
          )}
        </Panel>
      </div>
    </div>
  );
}

function Note({ run }: { run: RunDetail }) {
  const [draft, setDraft] = useState<string | undefined>();
  const save = useAction('updateRun', { done: 'Note saved', onSuccess: () => setDraft(undefined) });
  return (
    <Panel
      title="Note"
      actions={
        draft === undefined && (
          <Button variant="subtle" leftSection={<IconPencil size={14} aria-hidden />} onClick={() => setDraft(run.note)}>
            {run.note === '' ? 'Write' : 'Edit'}
          </Button>
        )
      }
    >
      {draft === undefined ? (
        <Text size="sm" style={{ whiteSpace: 'pre-wrap' }} c={run.note === '' ? 'dimmed' : undefined} className="break">
          {run.note === '' ? 'What was this run for? What came out?' : run.note}
        </Text>
      ) : (
        <form
          onSubmit={(e) => {
            e.preventDefault();
            save.mutate({ params: { runId: run.id }, body: { note: draft } });
          }}
        >
          <Textarea
            aria-label="Note"
            autosize
            minRows={4}
            maxRows={18}
            value={draft}
            onChange={(e) => setDraft(e.currentTarget.value)}
            maxLength={100_000}
            description="Markdown is kept as it is typed."
          />
          {save.isError && <ErrorState error={save.error} compact />}
          <Group gap="xs" mt="xs">
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
            <Button variant="subtle" color="gray" onClick={() => setDraft(undefined)}>
              Cancel
            </Button>
          </Group>
        </form>
      )}
    </Panel>
  );
}

/** Keys in one request, and how many requests: more are found by searching. */
const KEYS = 10_000;
const MOST_KEYS = 2 * KEYS;
function Charts({ run, search, set }: { run: RunDetail; search: RunSearch; set: (change: Partial<RunSearch>) => void }) {
  const q = (search.q ?? '').trim();
  const keys = useQuery({
    queryKey: ['listMetricKeys', 'charts', run.id, q],
    queryFn: async ({ signal }) => {
      const metrics: MetricSummary[] = [];
      let pageToken: string | undefined;
      do {
        const page = await client.call('listMetricKeys', { params: { runId: run.id }, query: { q: q === '' ? undefined : q, limit: KEYS, pageToken }, signal });
        metrics.push(...page.metrics);
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined && metrics.length < MOST_KEYS);
      return { metrics, truncated: pageToken !== undefined };
    },
    placeholderData: keepPreviousData,
    refetchInterval: (of) => (isLive(run) ? ((of.state.data?.metrics.length ?? 0) > 2000 ? LIVE.slow : 4_000) : false),
  });
  const runs = useMemo(() => [{ id: run.id, name: run.name }], [run.id, run.name]);
  const zoom = search.from !== undefined && search.to !== undefined ? ([search.from, search.to] as [number, number]) : null;
  const { shown, single, sections } = useMemo(() => {
    const all = keys.data?.metrics ?? [];
    const several = all.filter((m) => m.count > 1);
    const drawn = (several.length > 0 ? several : all).map((m) => m.key);
    return {
      shown: drawn,
      single: several.length > 0 ? all.length - several.length : 0,
      // A search shows what it finds, in whatever section that is.
      sections: q === '' ? sectionsOf(drawn) : [{ path: '', keys: drawn }],
    };
  }, [keys.data, q]);
  const fold = search.fold ?? NOTHING;
  const isOpen = openness(fold);
  return (
    <>
      <Group mb="sm" gap="md">
        <SearchInput
          aria-label="Search charts"
          placeholder="Search metrics"
          value={search.q ?? ''}
          onSearch={(next) => set({ q: next === '' ? undefined : next })}
          w={240}
        />
        <ChartControls
          smoothing={search.smooth ?? 0}
          onSmoothing={(value) => set({ smooth: value === 0 ? undefined : value })}
          log={search.log === true}
          onLog={(log) => set({ log: log ? true : undefined })}
          zoomed={zoom !== null}
          onReset={() => set({ from: undefined, to: undefined })}
        />
        <Text size="xs" c="dimmed">
          {plural(shown.length, 'chart')}
          {single > 0 ? `; ${plural(single, 'metric')} with a single value: see the overview` : ''}
          {keys.data?.truncated === true ? '; there are more, search for them' : ''}
        </Text>
        {sections.length > 1 && <FoldAll of="sections" anyOpen={sections.some((s) => isOpen(s.path))} onFold={(next) => set({ fold: kept(next) })} />}
      </Group>
      {keys.isError && <ErrorState error={keys.error} retry={keys.refetch} />}
      {keys.isSuccess && shown.length === 0 && (
        <Text c="dimmed" size="sm">
          {q === '' ? 'No metrics logged.' : 'No metric matches.'}
        </Text>
      )}
      <ChartSections
        sections={sections}
        fold={fold}
        onFold={(next) => set({ fold: kept(next) })}
        runs={runs}
        zoom={zoom}
        onZoom={(range) => set({ from: range?.[0], to: range?.[1] })}
        smoothing={search.smooth ?? 0}
        log={search.log === true}
        live={isLive(run)}
      />
    </>
  );
}
