import type { viewOperations } from '@binnacle/contract';
import type { SavedViews } from '../../tracking/index.ts';
import type { Handlers } from '../handlers.ts';

/** Saved views of the native API. */
export function viewHandlers({ views }: { views: SavedViews }): Handlers<typeof viewOperations> {
  return {
    listViews: async ({ params }) => ({ views: await views.list(params.experimentId) }),
    putView: ({ params, body }) => views.put({ experimentId: params.experimentId, name: params.view, page: body.page, state: body.state }, body.revision),
    updateView: ({ params, body }) => views.update(params.experimentId, params.view, body),
    deleteView: async ({ params }) => ({ deleted: await views.delete(params.experimentId, params.view) }),
  };
}
