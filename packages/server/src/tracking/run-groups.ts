import { parseFilter } from '../kernel/filter/index.ts';
import { invalid } from '../kernel/index.ts';
import { runGrammar } from './filter-grammars.ts';
import { keyToToken, tokenToKey } from './search.ts';
import type { GroupPage, GroupQuery } from './run-groups.types.ts';
import type { TrackingStore } from './tracking.port.ts';
import type { View } from './types.ts';

export interface GroupRequest extends Omit<GroupQuery, 'conditions' | 'after' | 'view'> {
  filter?: string | undefined;
  view?: View | undefined;
  pageToken?: string | undefined;
}

export function groupUseCases(store: TrackingStore) {
  return {
    async groupRuns({ filter, view, pageToken, ...request }: GroupRequest): Promise<Omit<GroupPage, 'next'> & { nextPageToken: string | undefined }> {
      const { by, order } = request;
      if (order.by === 'value' && by[Number(order.key)] === undefined)
        throw invalid('invalid_order', `'${order.key}' is none of the ${by.length} columns that the runs are grouped by; they are counted from 0.`);
      const after = tokenToKey(pageToken);
      const { next, ...page } = await store.groupRuns({
        ...request,
        conditions: parseFilter(filter, runGrammar),
        view: view ?? 'active',
        ...(after === undefined ? {} : { after }),
      });
      return { ...page, nextPageToken: keyToToken(next) };
    },
  };
}
