import type { MetricSummary } from '@binnacle/contract';
import { Group, Text } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { client, LIVE } from '../../app/api.ts';
import { plural } from '../../ui/format.ts';
import { SearchInput } from '../../ui/search-input.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { ChartControls } from '../metrics/chart-controls.tsx';
import { ChartSections } from '../metrics/chart-sections.tsx';
import { FoldAll } from '../nested/fold-button.tsx';
import { openness, sectionsOf } from '../nested/tree.ts';
import { isLive } from './live.ts';
import { isSystem } from './system.ts';
import { kept, NOTHING, type TabProps } from './tab.ts';

/** Keys in one request, and how many requests: more are found by searching. */
const KEYS = 10_000;
const MOST_KEYS = 2 * KEYS;
/** The charts of a run's metrics, in sections; hardware has a tab of its own. */
export function ChartsTab({ run, search, set }: TabProps) {
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
    const all = (keys.data?.metrics ?? []).filter((m) => !isSystem(m.key));
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
