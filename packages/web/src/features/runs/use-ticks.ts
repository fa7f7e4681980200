import type { RunRow } from '@binnacle/contract';
import { notifications } from '@mantine/notifications';
import { useCallback, useRef } from 'react';
import { client, problemOf } from '../../app/api.ts';
import { type ShownGroup, withinGroup } from './groups.ts';
import type { RunSearch } from './use-run-pages.ts';

/** As many as can be compared; they stand in the address. */
export const MOST_TICKED = 200;

/** Ticking runs one by one, the first ones, or those of a group, which need not be loaded. */
export function useTicks(options: {
  search: RunSearch;
  by: string[];
  selected: string[];
  firstRuns: RunRow[];
  /** Runs that are loaded inside of groups, by the group. */
  onSelect: (ids: string[]) => void;
}) {
  const { search, by, selected, firstRuns, onSelect } = options;
  /** Which group a run is in, so far as one was ticked. */
  const groupOf = useRef(new Map<string, string>());
  const ticked = new Set(selected);
  const inGroup = (group: ShownGroup) => selected.filter((id) => groupOf.current.get(id) === group.id);
  const onTick = useCallback(
    (id: string) => onSelect(selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id].slice(0, MOST_TICKED)),
    [selected, onSelect],
  );
  return {
    onTick,
    onTickAll: () => onSelect(ticked.size > 0 ? [] : firstRuns.slice(0, MOST_TICKED).map((run) => run.id)),
    tickedOf: (group: ShownGroup): 'all' | 'some' | 'none' => {
      const count = inGroup(group).length;
      return count === 0 ? 'none' : count >= Math.min(group.runs, MOST_TICKED) ? 'all' : 'some';
    },
    onTickGroup: async (group: ShownGroup) => {
      const mine = new Set(inGroup(group));
      const others = selected.filter((id) => !mine.has(id));
      if (mine.size > 0) {
        onSelect(others);
        return;
      }
      try {
        const body = { ...search, within: withinGroup(by, group.values), limit: MOST_TICKED, columns: { metrics: [], params: [], tags: [] } };
        const { runs } = await client.call('searchRuns', { body });
        for (const run of runs) groupOf.current.set(run.id, group.id);
        onSelect([...new Set([...others, ...runs.map((run) => run.id)])].slice(0, MOST_TICKED));
      } catch (error) {
        notifications.show({ title: 'The runs of the group could not be read', message: problemOf(error).detail, color: 'red' });
      }
    },
  };
}
