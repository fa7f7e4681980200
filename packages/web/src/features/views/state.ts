import type { SavedView } from '@binnacle/contract';
import { type CompareSearch, compareSearch, type ExperimentSearch, experimentSearch, VIEWS } from '../../app/search.ts';

/** What a saved view holds of a page's address, and links to it. Pure; tested in state.test.ts. */
type Page = SavedView['page'];
type Search = ExperimentSearch & CompareSearch;
export type ViewState = Record<string, unknown>;

/** What belongs to the moment: ticks are for the next comparison, and what is to be compared stays with a comparison. */
const PASSING: Record<Page, readonly string[]> = { runs: ['view', 'sel'], compare: ['view'] };
const parse: Record<Page, (raw: ViewState) => object> = { runs: experimentSearch, compare: compareSearch };

/** The part of a page's search that a view keeps; what the page does not know is left aside. */
export function stateOf(page: Page, search: ViewState): ViewState {
  // Without a stage an old `view` would be read as one.
  const known = parse[page]({ ...search, view: undefined });
  return Object.fromEntries(
    Object.entries(known).filter(([key, value]) => value !== undefined && !PASSING[page].includes(key) && !(key === 'stage' && value === 'active')),
  );
}

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, item]) => [key, sorted(item)]),
        )
      : value;
/** Whether two states show the same. */
export const sameState = (page: Page, a: ViewState, b: ViewState): boolean =>
  JSON.stringify(sorted(stateOf(page, a))) === JSON.stringify(sorted(stateOf(page, b)));

/** The search of a page that a saved view opens: its whole state, and its name. */
export function openView(view: SavedView): Search {
  return named(view.page, { ...stateOf(view.page, view.state), view: view.name });
}

/** Said with a stage, no state is empty (which would open the default view), and no name is taken for an old link's stage. */
export function named(page: Page, search: Search): Search {
  if (page === 'compare') return search;
  const { view, stage, ...rest } = search;
  const bare = Object.values(rest).every((value) => value === undefined);
  const stageLike = view !== undefined && (VIEWS as readonly string[]).includes(view);
  return { ...search, stage: stage ?? (bare || stageLike ? 'active' : undefined) };
}

/** Whether an address says nothing but, perhaps, the name of a view. */
export const isBare = (search: Search): boolean => Object.entries(search).every(([key, value]) => key === 'view' || value === undefined);
