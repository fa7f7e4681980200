import type { servingOperations } from '@binnacle/contract';
import type { ServingService } from '../../serving/index.ts';
import type { Handlers } from '../handlers.ts';

/** The native API of endpoints. */
export const servingHandlers = ({ serving }: { serving: ServingService }): Handlers<typeof servingOperations> => ({
  listEndpoints: async () => ({ endpoints: serving.list() }),
  deployEndpoint: async ({ params, body }) => serving.deploy(params.endpoint, body),
  getEndpoint: async ({ params }) => serving.get(params.endpoint),
  deleteEndpoint: async ({ params }) => {
    await serving.delete(params.endpoint);
    return {};
  },
  loadEndpoint: async ({ params }) => serving.load(params.endpoint),
  unloadEndpoint: async ({ params }) => serving.unload(params.endpoint),
  warmEndpoint: async ({ params }) => ({ versions: await serving.warm(params.endpoint) }),
  listEndpointChanges: async ({ params, query }) => ({ changes: await serving.changes(params.endpoint, query.limit) }),
  rollBackEndpoint: async ({ params, body }) => serving.rollBack(params.endpoint, body),
  getEndpointLogs: async ({ params, query }) => serving.logs(params.endpoint, query),
  getEndpointStats: async ({ params }) => serving.stats(params.endpoint),
});
