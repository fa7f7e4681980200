import { openSpotlight, Spotlight, type SpotlightActionData, type SpotlightActionGroupData } from '@mantine/spotlight';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { uiPath } from '../ui/bits.tsx';
import { useApi } from './api.ts';

export const openSearch = (): void => openSpotlight();

const KINDS: Record<string, string> = {
  experiment: 'Experiments',
  run: 'Runs',
  model: 'Models',
  endpoint: 'Endpoints',
  batch: 'Batch jobs',
};
const PAGES = [
  ['Overview', '/'],
  ['Experiments', '/experiments'],
  ['Models', '/models'],
  ['Endpoints', '/endpoints'],
  ['Batch jobs', '/batch'],
  ['New batch job', '/batch?new=true'],
  ['Deploy an endpoint', '/endpoints?deploy=true'],
  ['Monitoring', '/monitoring'],
] as const;

/** Ctrl K: pages at once, and whatever the server finds by a part of its name. */
export function SearchDialog() {
  const [query, setQuery] = useState('');
  const [debounced] = useDebouncedValue(query.trim(), 150);
  const router = useRouter();
  const found = useApi('searchAll', { query: { q: debounced, limit: 30 } }, { enabled: debounced !== '', keepPrevious: true });

  const go = (href: string) => () => router.history.push(uiPath(href));
  const wanted = query.trim().toLowerCase();
  const pages: SpotlightActionData[] = PAGES.filter(([label]) => label.toLowerCase().includes(wanted)).map(([label, href]) => ({
    id: `page:${href}`,
    label,
    onClick: go(href),
  }));
  const groups: SpotlightActionGroupData[] = [];
  if (debounced !== '') {
    for (const hit of found.data?.hits ?? []) {
      const name = KINDS[hit.kind] ?? hit.kind;
      let group = groups.find((g) => g.group === name);
      if (group === undefined) groups.push((group = { group: name, actions: [] }));
      group.actions.push({ id: `${hit.kind}:${hit.href}`, label: hit.label, description: hit.detail, onClick: go(hit.href) });
    }
  }
  if (pages.length > 0) groups.push({ group: 'Pages', actions: pages });

  return (
    <Spotlight
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      filter={(_, actions) => actions}
      shortcut={['mod + K']}
      // Also while something is being typed.
      tagsToIgnore={[]}
      nothingFound={found.isFetching ? 'Searching …' : found.isError ? found.error.message : `Nothing is named like “${wanted}”.`}
      highlightQuery
      scrollable
      maxHeight={430}
      clearQueryOnClose
      attributes={{ content: { 'aria-label': 'Search' } }}
      searchProps={{
        placeholder: 'Experiments, runs, models, endpoints, jobs, pages',
        leftSection: <IconSearch size={18} aria-hidden />,
        'aria-label': 'Search everything',
      }}
    />
  );
}
