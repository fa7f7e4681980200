import { useMemo } from 'react';
import { MetricsTable } from '../metrics/metrics-table.tsx';
import { ParamsTree } from '../nested/params-tree.tsx';
import { DetailsPanel } from './details-panel.tsx';
import { DatasetsPanel, ModelsPanel, TagsPanel } from './facts-panels.tsx';
import { isLive } from './live.ts';
import { NotePanel } from './note-panel.tsx';
import { SourcePanel } from './source-panel.tsx';
import { isSystem } from './system.ts';
import { kept, NOTHING, type TabProps } from './tab.ts';

const two = { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(430px, 100%), 1fr))', gap: 14, alignItems: 'start' } as const;
const column = { display: 'grid', gap: 14, minWidth: 0 } as const;
const isModelMetric = (key: string): boolean => !isSystem(key);

/** What a run is at a glance. `systemKeys` are how many of its metrics are of the hardware, which has a tab of its own. */
export function OverviewTab({ run, search, set, systemKeys }: TabProps & { systemKeys: number }) {
  const params = useMemo(() => Object.entries(run.params).sort(([a], [b]) => a.localeCompare(b)), [run.params]);
  return (
    <div style={two}>
      <div style={column}>
        <DetailsPanel run={run} />
        <MetricsTable
          runId={run.id}
          total={run.metricKeys - systemKeys}
          wanted={isModelMetric}
          query={search.q ?? ''}
          onQuery={(q) => set({ q: q === '' ? undefined : q })}
          onOpen={(metric) => set({ tab: 'charts', q: metric }, false)}
          live={isLive(run)}
          fold={search.fold ?? NOTHING}
          onFold={(fold) => set({ fold: kept(fold) })}
        />
        <NotePanel run={run} />
      </div>
      <div style={column}>
        <ParamsTree params={params} fold={search.pfold ?? NOTHING} onFold={(fold) => set({ pfold: kept(fold) })} />
        <SourcePanel run={run} />
        <ModelsPanel run={run} />
        <DatasetsPanel run={run} />
        <TagsPanel run={run} />
      </div>
    </div>
  );
}
