import './series.css';
import type { EntryKey, RunDetail } from '@binnacle/contract';
import { Text } from '@mantine/core';
import { IconChartHistogram, IconFile, IconPhoto, IconSearch, IconTerminal2 } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useDeferredValue, useMemo } from 'react';
import { client, useApi } from '../../app/api.ts';
import { formatInt, formatNumber, plural } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { SearchInput } from '../../ui/search-input.tsx';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { FoldAll } from '../nested/fold-button.tsx';
import { flatRows, openness, toggled, treeRows } from '../nested/tree.ts';
import { TreeGrid } from '../nested/tree-grid.tsx';
import { isLive } from '../run/live.ts';
import { kept, NOTHING, type TabProps } from '../run/tab.ts';
import { FilesOverSteps, FilesView } from './files-view.tsx';
import { HistogramView } from './histogram-view.tsx';
import { LogView } from './log-view.tsx';
import { type FileAt, IMAGES, imageSeries } from './mlflow-images.ts';

const KINDS = {
  string: { icon: <IconTerminal2 size={15} aria-label="Text" />, word: 'text' },
  histogram: { icon: <IconChartHistogram size={15} aria-label="Histograms" />, word: 'histograms' },
  file: { icon: <IconFile size={15} aria-label="Files" />, word: 'files' },
  image: { icon: <IconPhoto size={15} aria-label="Pictures" />, word: 'pictures' },
} as const;
/** A series of ours, or pictures that MLflow's client has logged. */
interface Shown extends Pick<EntryKey, 'key' | 'count' | 'firstStep' | 'lastStep' | 'inherited'> {
  kind: keyof typeof KINDS;
}
const keyOf = (entry: Shown): string => entry.key;
const same = (entry: Shown, search: TabProps['search']): boolean => entry.key === search.entry && (search.kind === undefined || entry.kind === search.kind);

/** The pictures of a run by key, as MLflow's client logs them. */
export function useImageSeries(run: RunDetail | undefined): Map<string, FileAt[]> {
  const files = useApi(
    'listRunArtifacts',
    { params: { runId: run?.id ?? '' }, query: { path: IMAGES } },
    { enabled: run !== undefined, staleTime: 60_000, refetchInterval: isLive(run) ? 15_000 : false },
  );
  return useMemo(() => imageSeries(files.data?.files ?? [], run?.id ?? ''), [files.data, run?.id]);
}

/** What a run logged step by step beside its metrics: texts, histograms, files and pictures. */
export function SeriesTab({ run, search, set, images }: TabProps & { images: Map<string, FileAt[]> }) {
  const live = isLive(run);
  const q = useDeferredValue((search.q ?? '').trim());
  const pages = useInfiniteQuery({
    queryKey: ['listEntryKeys', run.id, q],
    queryFn: ({ pageParam, signal }) =>
      client.call('listEntryKeys', { params: { runId: run.id }, query: { q: q === '' ? undefined : q, limit: 1000, pageToken: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.nextPageToken,
    placeholderData: keepPreviousData,
    refetchInterval: (of) => (live && (of.state.data?.pages.length ?? 0) <= 3 ? 5_000 : false),
  });
  const entries = useMemo(() => {
    const own: Shown[] = pages.data?.pages.flatMap((p) => p.keys) ?? [];
    const found = [...images].filter(([key]) => key.toLowerCase().includes(q.toLowerCase()));
    if (found.length === 0) return own;
    const pictures = found.map(
      ([key, files]): Shown => ({
        key,
        kind: 'image',
        count: files.length,
        firstStep: files[0]?.step ?? 0,
        lastStep: files.at(-1)?.step ?? 0,
        inherited: false,
      }),
    );
    return [...own, ...pictures].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }, [pages.data, images, q]);
  const fold = search.fold ?? NOTHING;
  const rows = useMemo(() => (q === '' ? treeRows(entries, keyOf, openness(fold)) : flatRows(entries, keyOf)), [entries, q, fold]);
  const branches = rows.filter((row) => row.kind === 'branch');
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const chosen = search.entry === undefined ? entries[0] : entries.find((entry) => same(entry, search));
  const total = run.entryKeys.string + run.entryKeys.histogram + run.entryKeys.file + images.size;
  // A link may name one that the list has not come to yet.
  const shown =
    chosen !== undefined
      ? { key: chosen.key, kind: chosen.kind }
      : search.entry !== undefined && search.kind !== undefined
        ? { key: search.entry, kind: search.kind }
        : undefined;
  return (
    <div className="bn-series">
      <Panel
        title={`Series (${formatInt(total)})`}
        actions={branches.length > 0 && <FoldAll of="series" anyOpen={branches.some((row) => row.open)} onFold={(next) => set({ fold: kept(next) })} />}
      >
        <SearchInput
          aria-label="Search series"
          placeholder="Search"
          value={search.q ?? ''}
          onSearch={(next) => set({ q: next === '' ? undefined : next })}
          leftSection={<IconSearch size={14} aria-hidden />}
          mb="sm"
        />
        {pages.isError && <ErrorState error={pages.error} retry={pages.refetch} compact />}
        {pages.isPending && <Loading lines={4} height={16} />}
        {pages.isSuccess && entries.length === 0 && (
          <Text c="dimmed" size="sm">
            {q === '' ? 'None logged.' : 'None matches.'}
          </Text>
        )}
        <TreeGrid
          label="Series"
          rows={rows}
          onToggle={(path) => set({ fold: kept(toggled(fold, path)) })}
          onEnd={onEnd}
          renderCells={({ label, item }, indent) => (
            <span role="gridcell" style={{ display: 'flex', flex: '1 1 0', minWidth: 0, paddingLeft: indent }}>
              <button
                type="button"
                className="bn-series-key"
                aria-pressed={shown?.key === item.key && shown.kind === item.kind}
                title={`${item.key}: ${KINDS[item.kind].word}, ${plural(item.count, 'entry', 'entries')} from step ${formatNumber(item.firstStep)} to ${formatNumber(item.lastStep)}${item.inherited ? ', inherited' : ''}`}
                onClick={() => set({ entry: item.key, kind: item.kind, step: undefined }, false)}
              >
                {KINDS[item.kind].icon}
                <span className="clip" style={{ flex: '1 1 auto' }}>
                  {label}
                </span>
                <Text span size="xs" c="dimmed" fw={400}>
                  {formatInt(item.count)}
                </Text>
              </button>
            </span>
          )}
        />
      </Panel>
      <div style={{ minWidth: 0 }}>
        {shown === undefined ? (
          pages.isSuccess && (
            <Panel>
              <Text c="dimmed" size="sm">
                {search.entry === undefined ? 'Choose a series to look into it.' : `The run has no series ${search.entry}.`}
              </Text>
            </Panel>
          )
        ) : (
          <Panel title={<span className="break">{shown.key}</span>}>
            <OneSeries
              key={`${shown.kind}:${shown.key}`}
              runId={run.id}
              name={shown.key}
              kind={shown.kind}
              live={live}
              images={images}
              search={search}
              set={set}
            />
          </Panel>
        )}
      </div>
    </div>
  );
}

function OneSeries({
  runId,
  name,
  kind,
  live,
  images,
  search,
  set,
}: {
  runId: string;
  name: string;
  kind: Shown['kind'];
  live: boolean;
  images: Map<string, FileAt[]>;
  search: TabProps['search'];
  set: TabProps['set'];
}) {
  if (kind === 'string') return <LogView runId={runId} name={name} live={live} />;
  const props = { runId, name, live, step: search.step, onStep: (step: number) => set({ step }) };
  if (kind === 'histogram') return <HistogramView {...props} />;
  if (kind === 'file') return <FilesView {...props} />;
  const files = images.get(name) ?? [];
  return <FilesOverSteps files={files} total={files.length} step={props.step} onStep={props.onStep} />;
}
