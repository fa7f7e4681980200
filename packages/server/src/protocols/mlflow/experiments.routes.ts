import { invalid, notFound } from '../../kernel/index.ts';
import { LIMITS, type TrackingService, type View } from '../../tracking/index.ts';
import { type Fields, maxResults } from './fields.ts';
import { experimentJson } from './messages.ts';
import type { MlflowRoute } from './routes.ts';

const VIEWS = { 1: 'ACTIVE_ONLY', 2: 'DELETED_ONLY', 3: 'ALL' } as const;
const VIEW: Record<(typeof VIEWS)[keyof typeof VIEWS], View> = { ACTIVE_ONLY: 'active', DELETED_ONLY: 'deleted', ALL: 'all' };
export const viewOf = (fields: Fields, name: string): View => VIEW[fields.oneOf(name, VIEWS) ?? 'ACTIVE_ONLY'];

/** A page's fields, as every search of MLflow reads them. */
export const pageOf = (fields: Fields, defaultLimit: number, maxLimit: number) => ({
  filter: fields.string('filter'),
  orderBy: fields.strings('order_by'),
  limit: maxResults(fields, defaultLimit, maxLimit),
  pageToken: fields.string('page_token'),
});
export const nextPage = (token: string | undefined) => (token === undefined ? {} : { next_page_token: token });

/** `experiments/*`. */
export function experimentRoutes(tracking: TrackingService): MlflowRoute[] {
  const search: MlflowRoute['handler'] = async (fields) => {
    const { experiments, nextPageToken } = await tracking.searchExperiments({
      ...pageOf(fields, 1000, LIMITS.searchExperiments),
      view: viewOf(fields, 'view_type'),
    });
    return { experiments: experiments.map(experimentJson), ...nextPage(nextPageToken) };
  };
  return [
    {
      method: 'POST',
      path: 'experiments/create',
      async handler(fields) {
        const { id } = await tracking.createExperiment({
          name: fields.requiredString('name'),
          artifactLocation: fields.string('artifact_location'),
          tags: fields.keyValues('tags'),
        });
        return { experiment_id: id };
      },
    },
    {
      method: 'GET',
      path: 'experiments/get',
      handler: async (fields) => ({ experiment: experimentJson(await tracking.getExperiment(fields.requiredString('experiment_id'))) }),
    },
    {
      method: 'GET',
      path: 'experiments/get-by-name',
      async handler(fields) {
        const name = fields.requiredString('experiment_name');
        const experiment = await tracking.findExperiment(name);
        if (experiment === undefined) throw notFound('experiment_not_found', `Could not find experiment with name '${name}'`);
        return { experiment: experimentJson(experiment) };
      },
    },
    { method: 'GET', path: 'experiments/search', handler: search },
    { method: 'POST', path: 'experiments/search', handler: search },
    {
      method: 'POST',
      path: 'experiments/delete',
      async handler(fields) {
        await tracking.setExperimentStage(fields.requiredString('experiment_id'), 'deleted');
        return {};
      },
    },
    {
      method: 'POST',
      path: 'experiments/restore',
      async handler(fields) {
        await tracking.setExperimentStage(fields.requiredString('experiment_id'), 'active');
        return {};
      },
    },
    {
      method: 'POST',
      path: 'experiments/update',
      async handler(fields) {
        await tracking.renameExperiment(fields.requiredString('experiment_id'), fields.requiredString('new_name'));
        return {};
      },
    },
    {
      method: 'POST',
      path: 'experiments/set-experiment-tag',
      async handler(fields) {
        await tracking.setExperimentTag(fields.requiredString('experiment_id'), { key: fields.requiredString('key'), value: fields.scalarText('value') });
        return {};
      },
    },
    {
      method: 'POST',
      path: 'experiments/delete-experiment-tag',
      async handler(fields) {
        await tracking.deleteExperimentTag(fields.requiredString('experiment_id'), fields.requiredString('key'));
        return {};
      },
    },
    {
      method: 'POST',
      path: 'experiments/search-datasets',
      async handler(fields) {
        const ids = fields.strings('experiment_ids') ?? [];
        if (ids.length === 0) throw invalid('invalid_parameter', 'SearchDatasets request must specify at least one experiment_id.');
        if (ids.length > 20)
          throw invalid('invalid_parameter', `SearchDatasets request cannot specify more than 20 experiment_ids. Received ${ids.length} experiment_ids.`);
        const found = await tracking.searchDatasets(ids);
        return {
          dataset_summaries: found.map(({ experimentId, name, digest, context }) => ({
            experiment_id: experimentId,
            name,
            digest,
            ...(context === null ? {} : { context }),
          })),
        };
      },
    },
  ];
}
