import type { registryOperations } from '@binnacle/contract';
import type { GatesService } from '../../gates/index.ts';
import { BinnacleError, invalid } from '../../kernel/index.ts';
import type { RegistryService, RegistryViews } from '../../registry/index.ts';
import type { Handlers } from '../handlers.ts';

/** Models, versions, aliases, gates and lineage of the native API. */
export function registryHandlers({
  registry,
  views,
  gates,
}: {
  registry: RegistryService;
  views: RegistryViews;
  gates: GatesService;
}): Handlers<typeof registryOperations> {
  const detail = async (model: string, version: number) => views.detail(await registry.getVersion(model, version));
  return {
    async listModels({ query }) {
      const { items, nextPageToken } = await registry.listModels(query.q ?? '', query.limit, query.pageToken);
      return { models: await Promise.all(items.map(views.model)), ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    },
    createModel: async ({ body }) => views.model(await registry.createModel(body)),
    async getModel({ params }) {
      const model = await registry.getModel(params.model);
      return { ...(await views.model(model)), versions: await views.versions(await registry.versionsOf(params.model)) };
    },
    updateModel: async ({ params, body }) => views.model(await registry.updateModel(params.model, body)),
    async deleteModel({ params }) {
      await registry.deleteModel(params.model);
      return {};
    },
    async uploadVersion({ params, query }, { body, signal }) {
      try {
        // Leaving the loop early must not destroy the request: its error still has to be answered.
        const stored = await registry.uploadVersion({
          model: params.model,
          filename: query.filename,
          description: query.description,
          runId: query.runId,
          body: body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
        });
        return await views.detail(stored);
      } catch (error) {
        // What is still on its way is read and dropped: a client that is busy sending would otherwise never see the answer.
        body.resume();
        if ((signal.aborted || body.readableAborted) && !(error instanceof BinnacleError))
          throw invalid('upload_incomplete', 'The connection broke before the whole file had arrived; nothing was stored. Send it again.', { cause: error });
        throw error;
      }
    },
    registerRemote: async ({ params, body }) => views.detail(await registry.registerRemote({ ...body, model: params.model })),
    async createVersion({ params, body }) {
      const created = await registry.createVersion({
        model: params.model,
        source: body.source,
        runId: body.runId ?? null,
        description: body.description ?? '',
        tags: body.tags,
      });
      return views.detail(created);
    },
    getVersion: async ({ params }) => detail(params.model, params.version),
    updateVersion: async ({ params, body }) => views.detail(await registry.updateVersion(params.model, params.version, body)),
    async deleteVersion({ params }) {
      await registry.deleteVersion(params.model, params.version);
      return {};
    },
    async setAlias({ params, body }) {
      const report = await registry.setAlias({ model: params.model, alias: params.alias, version: body.version, force: body.force, reason: body.reason });
      return { alias: params.alias, version: body.version, report };
    },
    async deleteAlias({ params }) {
      await registry.deleteAlias(params.model, params.alias);
      return {};
    },
    getGatePolicy: async ({ params }) => ({ policy: (await registry.getModel(params.model)).gatePolicy }),
    async setGatePolicy({ params, body }) {
      await registry.setGatePolicy(params.model, body.policy);
      return { policy: body.policy };
    },
    runGates: async ({ params, body }) => gates.run(params.model, params.version, body.alias),
    async listGateReports({ params }) {
      await registry.getVersion(params.model, params.version);
      return { reports: await registry.gateReports(params.model, params.version) };
    },
    getLineage: ({ params }) => views.lineage(params.model),
    getRunLineage: ({ params }) => views.runLineage(params.runId),
  };
}
