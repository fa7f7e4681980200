import type { MlflowSource, SourceExperiment } from '../../transfer/index.ts';
import { isMissing, type MlflowApi, mlflowApi, pages } from './api.ts';
import { fileReader } from './files.ts';
import { addModelPoints, type ModelPoints, pointAdder, readSeries } from './series.ts';
import {
  experimentOf,
  loggedModelOf,
  modelOf,
  runOf,
  versionOf,
  type WireExperiment,
  type WireModel,
  type WireRegistered,
  type WireRun,
  type WireVersion,
} from './wire.ts';

const RUNS = 200;
const MODELS = 100;
const API = '/api/2.0/mlflow';
const NO_PLACE = 'there is no place for them here yet';

/** An MLflow by its server's URL. Throws `invalid` or `unavailable` for what is none, or does not answer. */
export async function openMlflowServer(place: string, env: NodeJS.ProcessEnv): Promise<MlflowSource> {
  const api = mlflowApi(place, env);
  const experiments = await readExperiments(api);
  const points = pointAdder();
  /** Metric keys of the runs that were read and not yet asked for. */
  const keys = new Map<string, string[]>();
  let measured: Promise<ModelPoints> | undefined;
  const measuredPoints = () => (measured ??= readModelPoints(api, experiments, points.add));

  return {
    place: api.place,
    listsForNothing: false,
    experiments: async () => experiments,
    countRuns: async () => null,
    async *runs(experimentIds) {
      for (const id of experimentIds) {
        const ask = (token: string | undefined) =>
          api.post<{ runs?: WireRun[]; next_page_token?: string }>(`${API}/runs/search`, {
            experiment_ids: [id],
            run_view_type: 'ALL',
            max_results: RUNS,
            // What comes meanwhile comes at the end, and moves no page.
            order_by: ['attributes.start_time ASC'],
            ...(token === undefined ? {} : { page_token: token }),
          });
        for await (const { runs = [] } of pages(ask)) {
          keys.clear();
          for (const { info, data } of runs)
            keys.set(
              info.run_id,
              (data?.metrics ?? []).map(({ key }) => key),
            );
          if (runs.length > 0) yield runs.map(runOf);
        }
      }
    },
    async *series(run) {
      yield* readSeries(api, run, keys.get(run.runId) ?? [], (await measuredPoints()).get(run.runId) ?? [], points.add);
    },
    async *loggedModels(experimentIds) {
      for (const id of experimentIds) for await (const models of wireModels(api, id)) yield models.map(loggedModelOf);
    },
    async *models() {
      for await (const models of registered(api)) yield models.map(modelOf);
    },
    async *versions() {
      const ask = (token: string | undefined) =>
        api.get<{ model_versions?: WireVersion[]; next_page_token?: string }>(`${API}/model-versions/search`, { max_results: 1000, page_token: token });
      for await (const { model_versions = [] } of pages(ask)) yield model_versions.map(versionOf);
    },
    files: fileReader(api),
    leftOut: () => leftOut(api, experiments),
    oddPoints: points.odd,
    close: async () => {},
  };
}

async function readExperiments(api: MlflowApi): Promise<SourceExperiment[]> {
  const found: SourceExperiment[] = [];
  const ask = (token: string | undefined) =>
    api.post<{ experiments?: WireExperiment[]; next_page_token?: string }>(`${API}/experiments/search`, {
      view_type: 'ALL',
      max_results: 1000,
      ...(token === undefined ? {} : { page_token: token }),
    });
  for await (const { experiments = [] } of pages(ask)) found.push(...experiments.map(experimentOf));
  return found;
}

/** Nothing where MLflow has none yet (before 3). */
async function* wireModels(api: MlflowApi, experimentId: string): AsyncIterable<WireModel[]> {
  const ask = (token: string | undefined) =>
    api.post<{ models?: WireModel[]; next_page_token?: string }>(`${API}/logged-models/search`, {
      experiment_ids: [experimentId],
      max_results: MODELS,
      ...(token === undefined ? {} : { page_token: token }),
    });
  try {
    for await (const { models = [] } of pages(ask)) if (models.length > 0) yield models;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function readModelPoints(api: MlflowApi, experiments: SourceExperiment[], add: ReturnType<typeof pointAdder>['add']): Promise<ModelPoints> {
  const found: ModelPoints = new Map();
  for (const { id } of experiments)
    for await (const models of wireModels(api, id)) for (const { info, data } of models) addModelPoints(found, info.model_id, data?.metrics ?? [], add);
  return found;
}

async function* registered(api: MlflowApi, filter?: string): AsyncIterable<WireRegistered[]> {
  const ask = (token: string | undefined) =>
    api.get<{ registered_models?: WireRegistered[]; next_page_token?: string }>(`${API}/registered-models/search`, {
      max_results: 200,
      filter,
      page_token: token,
    });
  for await (const { registered_models = [] } of pages(ask)) if (registered_models.length > 0) yield registered_models;
}

async function leftOut(api: MlflowApi, experiments: SourceExperiment[]): Promise<{ what: string; count: number | null; why: string }[]> {
  const found: { what: string; count: number | null; why: string }[] = [];
  let prompts = 0;
  for await (const models of registered(api, "tags.`mlflow.prompt.is_prompt` = 'true'")) prompts += models.length;
  if (prompts > 0) found.push({ what: 'prompts', count: prompts, why: NO_PLACE });
  const traces = await countTraces(api, experiments);
  if (traces > 0) found.push({ what: 'traces', count: traces, why: NO_PLACE });
  found.push({
    what: 'users, permissions, webhooks, deleted logged models',
    count: null,
    why: "a server's API does not tell them: an import of its database counts them, and brings deleted logged models in",
  });
  return found;
}

/** 0 where there are none to be asked for. */
async function countTraces(api: MlflowApi, experiments: SourceExperiment[]): Promise<number> {
  let count = 0;
  try {
    for (const { id } of experiments) {
      const ask = (token: string | undefined) =>
        api.post<{ traces?: unknown[]; next_page_token?: string }>('/api/3.0/mlflow/traces/search', {
          locations: [{ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: id } }],
          max_results: 500,
          ...(token === undefined ? {} : { page_token: token }),
        });
      for await (const { traces = [] } of pages(ask)) count += traces.length;
    }
  } catch {
    // An MLflow before 3 has none that could be asked for so.
  }
  return count;
}
