import { invalid } from '../../kernel/index.ts';
import { LIMITS, type LoggedModelStatus, missingValue, type TrackingService } from '../../tracking/index.ts';
import { nextPage } from './experiments.routes.ts';
import { maxResults } from './fields.ts';
import { loggedModelJson } from './messages.ts';
import type { MlflowRoute } from './routes.ts';

const STATUSES: Record<number, LoggedModelStatus> = { 1: 'LOGGED_MODEL_PENDING', 2: 'LOGGED_MODEL_READY', 3: 'LOGGED_MODEL_UPLOAD_FAILED' };
const orNull = (text: string | undefined): string | null => text || null;

/** `logged-models/*`. */
export function loggedModelRoutes(tracking: TrackingService): MlflowRoute[] {
  const one = 'logged-models/:model_id';
  return [
    {
      method: 'POST',
      path: 'logged-models',
      async handler(fields) {
        const model = await tracking.createLoggedModel({
          experimentId: fields.requiredString('experiment_id'),
          name: fields.string('name'),
          modelType: fields.string('model_type'),
          sourceRunId: fields.string('source_run_id'),
          params: fields.keyValues('params'),
          tags: fields.keyValues('tags'),
        });
        return { model: loggedModelJson(model) };
      },
    },
    {
      method: 'GET',
      path: one,
      handler: async (fields) => ({
        model: loggedModelJson(await tracking.getLoggedModel(fields.requiredString('model_id'), { allowDeleted: fields.bool('allow_deleted') ?? false })),
      }),
    },
    {
      method: 'PATCH',
      path: one,
      async handler(fields) {
        const status = fields.oneOf('status', STATUSES);
        if (status === undefined) throw missingValue('status');
        return { model: loggedModelJson(await tracking.finalizeLoggedModel(fields.requiredString('model_id'), status)) };
      },
    },
    {
      method: 'DELETE',
      path: one,
      async handler(fields) {
        await tracking.deleteLoggedModel(fields.requiredString('model_id'));
        return {};
      },
    },
    {
      method: 'POST',
      path: 'logged-models/search',
      async handler(fields) {
        const experimentIds = fields.strings('experiment_ids') ?? [];
        if (experimentIds.length === 0) throw missingValue('experiment_ids');
        const { models, nextPageToken } = await tracking.searchLoggedModels({
          experimentIds,
          filter: fields.string('filter'),
          datasets: fields.messages('datasets').map((dataset) => {
            const name = dataset.string('dataset_name');
            if (!name) throw invalid('invalid_parameter', '`dataset_name` in the `datasets` clause must be specified.');
            return { name, digest: orNull(dataset.string('dataset_digest')) };
          }),
          orderBy: fields.messages('order_by').map((order) => ({
            fieldName: order.string('field_name') ?? '',
            ascending: order.bool('ascending') ?? true,
            datasetName: orNull(order.string('dataset_name')),
            datasetDigest: orNull(order.string('dataset_digest')),
          })),
          limit: maxResults(fields, 100, LIMITS.loggedModels),
          pageToken: fields.string('page_token'),
        });
        return { models: models.map(loggedModelJson), ...nextPage(nextPageToken) };
      },
    },
    {
      method: 'PATCH',
      path: `${one}/tags`,
      async handler(fields) {
        await tracking.setLoggedModelTags(fields.requiredString('model_id'), fields.keyValues('tags'));
        return {};
      },
    },
    {
      method: 'DELETE',
      // The Python client sends slashes in keys as they are.
      path: `${one}/tags/*`,
      async handler(fields) {
        await tracking.deleteLoggedModelTag(fields.requiredString('model_id'), fields.requiredString('*'));
        return {};
      },
    },
    {
      method: 'POST',
      path: `${one}/params`,
      async handler(fields) {
        await tracking.logLoggedModelParams(fields.requiredString('model_id'), fields.keyValues('params'));
        return {};
      },
    },
  ];
}
