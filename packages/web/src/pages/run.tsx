import type { RunDetail } from '@binnacle/contract';
import { Button, Group, Menu, Tabs, TextInput } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { getRouteApi } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useApi } from '../app/api.ts';
import type { RunSearch } from '../app/search.ts';
import { ArtifactBrowser } from '../features/artifacts/artifact-browser.tsx';
import { ChartsTab } from '../features/run/charts-tab.tsx';
import { GROWING, isLive } from '../features/run/live.ts';
import { OverviewTab } from '../features/run/overview-tab.tsx';
import { SystemTab, useSystemKeys } from '../features/run/system-tab.tsx';
import type { TabProps } from '../features/run/tab.ts';
import { SeriesTab, useImageSeries } from '../features/series/series-tab.tsx';
import { useAction } from '../features/use-action.ts';
import { useFinalLook } from '../features/use-final-look.ts';
import { State } from '../ui/bits.tsx';
import { Page } from '../ui/page.tsx';
import { Loading, QueryView } from '../ui/states.tsx';

const route = getRouteApi('/runs/$runId');
/** With the library that lays graphs out. */
const RunLineage = lazy(() => import('../features/lineage/run-lineage.tsx').then((loaded) => ({ default: loaded.RunLineage })));

export function RunPage() {
  const { runId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<RunSearch>, replace = true) => void navigate({ search: (s) => ({ ...s, ...change }), replace });
  const query = useApi('getRun', { params: { runId } }, { refetchInterval: (q) => (isLive(q.state.data) ? 4_000 : false) });
  const run = query.data;
  useFinalLook(run === undefined ? undefined : isLive(run), GROWING);
  const systemKeys = useSystemKeys(run);
  const images = useImageSeries(run);
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
        {(data) => <RunTabs run={data} search={search} set={set} systemKeys={systemKeys} images={images} />}
      </QueryView>
    </Page>
  );
}

const seriesOf = ({ entryKeys }: RunDetail): number => entryKeys.string + entryKeys.histogram + entryKeys.file;
/** What belongs to one tab does not go along to the next. */
const LEFT_BEHIND = {
  path: undefined,
  model: undefined,
  q: undefined,
  fold: undefined,
  entry: undefined,
  kind: undefined,
  step: undefined,
} satisfies Partial<RunSearch>;

function RunTabs({ run, search, set, systemKeys, images }: TabProps & { systemKeys: string[]; images: ReturnType<typeof useImageSeries> }) {
  const tab = search.tab ?? 'overview';
  return (
    <Tabs
      value={tab}
      onChange={(next) => set({ tab: next === 'overview' ? undefined : (next as RunSearch['tab']), ...LEFT_BEHIND }, false)}
      keepMounted={false}
    >
      <Tabs.List mb="md">
        <Tabs.Tab value="overview">Overview</Tabs.Tab>
        <Tabs.Tab value="charts">Charts</Tabs.Tab>
        {(seriesOf(run) + images.size > 0 || tab === 'series') && <Tabs.Tab value="series">Series</Tabs.Tab>}
        {(systemKeys.length > 0 || tab === 'system') && <Tabs.Tab value="system">System</Tabs.Tab>}
        <Tabs.Tab value="artifacts">Artifacts</Tabs.Tab>
        <Tabs.Tab value="lineage">Lineage</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="overview">
        <OverviewTab run={run} search={search} set={set} systemKeys={systemKeys.length} />
      </Tabs.Panel>
      <Tabs.Panel value="charts">
        <ChartsTab run={run} search={search} set={set} />
      </Tabs.Panel>
      <Tabs.Panel value="series">
        <SeriesTab run={run} search={search} set={set} images={images} />
      </Tabs.Panel>
      <Tabs.Panel value="system">
        <SystemTab run={run} keys={systemKeys} />
      </Tabs.Panel>
      <Tabs.Panel value="artifacts">
        <ArtifactBrowser runId={run.id} models={run.models} modelId={search.model} path={search.path} onPath={(path, model) => set({ path, model })} />
      </Tabs.Panel>
      <Tabs.Panel value="lineage">
        <Suspense fallback={<Loading lines={3} />}>
          <RunLineage runId={run.id} />
        </Suspense>
      </Tabs.Panel>
    </Tabs>
  );
}
