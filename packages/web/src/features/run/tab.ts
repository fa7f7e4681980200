import type { RunDetail } from '@binnacle/contract';
import type { RunSearch } from '../../app/search.ts';
import { fitLink } from '../runs/columns.ts';

/** What each tab of a run's page gets: the run, the view in the link, and a way to change it. */
export interface TabProps {
  run: RunDetail;
  search: RunSearch;
  set: (change: Partial<RunSearch>, replace?: boolean) => void;
}

export const NOTHING: string[] = [];
/** What the link keeps of the closed branches. */
export const kept = (fold: string[]): string[] | undefined => (fold.length === 0 ? undefined : fitLink(fold));
