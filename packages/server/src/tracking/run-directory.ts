import type { TrackingStore } from './tracking.port.ts';
import type { LoggedModelRecord } from './types.ts';

const FIRST_KEYS = 1000;
const NO_DATA = { metrics: [], params: [], tags: [] };

const summary = (model: LoggedModelRecord) => ({
  modelId: model.modelId,
  name: model.name,
  artifactUri: model.artifactUri,
  sourceRunId: model.sourceRunId === '' ? null : model.sourceRunId,
});

/** What other rooms ask of runs and logged models, without an error where there is none. Satisfies the registry's port of that name. */
export function createRunDirectory(store: TrackingStore) {
  const findRun = async (runId: string, columns = NO_DATA as { metrics?: string[]; params?: string[]; tags?: string[] }) =>
    (await store.findRuns([runId], columns))[0];
  return {
    async run(runId: string) {
      const run = await findRun(runId);
      if (run === undefined) return undefined;
      const datasets = run.datasets.map(({ dataset, tags }) => ({
        name: dataset.name,
        digest: dataset.digest,
        context: tags.find(({ key }) => key === 'mlflow.data.context')?.value ?? null,
      }));
      return { runId: run.runId, experimentId: run.experimentId, name: run.name, artifactUri: run.artifactUri, datasets };
    },
    async metrics(runId: string, keys?: string[]): Promise<Record<string, number>> {
      if ((await findRun(runId)) === undefined) return {};
      if (keys === undefined) {
        const { metrics } = await store.listMetricKeys(runId, { q: null, limit: FIRST_KEYS, after: null });
        return Object.fromEntries(metrics.map(({ key, value }) => [key, value]));
      }
      const run = await findRun(runId, { ...NO_DATA, metrics: keys });
      return Object.fromEntries((run?.metrics.keys ?? []).map((key, i) => [key, run?.metrics.values[i] as number]));
    },
    async loggedModel(modelId: string) {
      const [model] = await store.getLoggedModels([modelId]);
      return model === undefined ? undefined : summary(model);
    },
    async loggedModelOfRun(runId: string, name: string) {
      const run = await findRun(runId);
      if (run === undefined) return undefined;
      const condition = (key: string, value: string) => ({ kind: 'attribute' as const, key, operator: '=' as const, value });
      const { models } = await store.searchLoggedModels({
        experimentIds: [run.experimentId],
        conditions: [condition('source_run_id', runId), condition('name', name)],
        datasets: [],
        orderBy: [],
        limit: 1,
      });
      return models[0] === undefined ? undefined : summary(models[0]);
    },
    noteVersion: (modelId: string, model: string, version: number): Promise<void> => store.noteModelVersion(modelId, model, version),
  };
}
