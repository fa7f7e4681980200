import type { SavedView } from '@binnacle/contract';
import { useEffect } from 'react';
import { useApi } from '../../app/api.ts';
import type { ExperimentSearch } from '../../app/search.ts';
import { isBare, openView } from '../views/state.ts';

/**
 * Opens what an address means that says no more than a view's name, or nothing where the experiment has a default view: the address is
 * replaced by the view's whole state. `ready` is false until that is known, so that nothing is shown that goes away at once.
 */
export function useView(
  experimentId: string,
  search: ExperimentSearch,
  open: (search: ExperimentSearch) => void,
): { ready: boolean; missing: string | undefined } {
  const bare = isBare(search);
  const list = useApi('listViews', { params: { experimentId } }, { enabled: bare, staleTime: 30_000 });
  const views = list.data?.views;
  const wanted = bare ? viewOf(views, search.view) : undefined;
  useEffect(() => {
    if (wanted !== undefined) open(openView(wanted));
  }, [wanted, open]);
  const known = !bare || views !== undefined || list.isError;
  return { ready: known && wanted === undefined, missing: bare && views !== undefined && wanted === undefined ? search.view : undefined };
}

const viewOf = (views: SavedView[] | undefined, name: string | undefined): SavedView | undefined =>
  views?.find((view) => view.page === 'runs' && (name === undefined ? view.isDefault : view.name === name));
