import type { SearchHit } from '@binnacle/contract';
import type { Counts, Hit, OverviewStore } from './overview.port.ts';

/** What is there, over all rooms: counts for the first page and the search behind Cmd-K. */
export interface OverviewService {
  counts(): Promise<Counts>;
  search(text: string, limit: number): Promise<SearchHit[]>;
}

export function createOverviewService(store: OverviewStore): OverviewService {
  return {
    counts: () => store.counts(),
    async search(text, limit) {
      const trimmed = text.trim();
      return trimmed === '' ? [] : (await store.find(trimmed, limit)).map(toSearchHit);
    },
  };
}

function toSearchHit({ kind, id, name, detail }: Hit): SearchHit {
  const part = encodeURIComponent(id);
  const href = { experiment: `/experiments/${part}`, run: `/runs/${part}`, model: `/models/${part}`, endpoint: `/endpoints/${part}`, batch: `/batch/${part}` }[
    kind
  ];
  return { kind, label: name, detail, href };
}
