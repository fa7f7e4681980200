import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BinnacleApiError } from '@binnacle/sdk';
import { progressBar } from '../output.ts';
import { type DemoContext, NAME } from './context.ts';
import { type Mlflow, mlflow, pairs } from './mlflow.ts';
import { offsetTo, pieces, type RecordedRun, type RunName, rewriteMlModel } from './recording.ts';

/** Tag of a run that the demo replayed: the run's id in the recording. */
export const RECORDED_TAG = 'binnacle.demo.recorded_run_id';
/** Tag of the experiment: by how much the recorded times were shifted. A replay that goes on must shift by the same. */
const OFFSET_TAG = 'binnacle.demo.offset_ms';
/** What one log-batch takes. */
const BATCH = 1000;

export interface ReplayedRun {
  name: RunName;
  runId: string;
  modelId: string;
}

interface MlflowRun {
  info: { run_id: string; status: string; artifact_uri: string };
}
interface LoggedModel {
  info: { model_id: string; status: string | number; artifact_uri: string };
}

export interface Experiment {
  id: string;
  tags: Record<string, string>;
}

export async function findExperiment(context: DemoContext): Promise<Experiment | undefined> {
  try {
    const { experiment } = await mlflow(context.client).get<{ experiment: { experiment_id: string; tags?: { key: string; value: string }[] } }>(
      'experiments/get-by-name',
      { experiment_name: NAME },
    );
    return { id: experiment.experiment_id, tags: Object.fromEntries((experiment.tags ?? []).map(({ key, value }) => [key, value])) };
  } catch (error) {
    if (error instanceof BinnacleApiError && error.status === 404) return undefined;
    throw error;
  }
}

export const setExperimentTag = (context: DemoContext, experimentId: string, key: string, value: string): Promise<unknown> =>
  mlflow(context.client).post('experiments/set-experiment-tag', { experiment_id: experimentId, key, value });

/** Logs the recorded runs as the mlflow client logged them. A run that is there is left alone, one that was cut off is completed. */
export async function replayRuns(context: DemoContext, recording: RecordedRun[]): Promise<ReplayedRun[]> {
  const api = mlflow(context.client);
  const bar = progressBar('training runs');
  const experiment = await ensureExperiment(context, api, recording);
  const total = recording.reduce((sum, run) => sum + run.metrics.length + run.model.files.length + run.artifacts.length, 0);
  let done = 0;
  let replayed = 0;
  const replays: ReplayedRun[] = [];
  for (const recorded of recording) {
    const before = await findRun(api, experiment.id, recorded);
    if (before?.complete !== undefined) {
      replays.push(before.complete);
      done += recorded.metrics.length + recorded.model.files.length + recorded.artifacts.length;
      continue;
    }
    replayed++;
    replays.push(await replay(api, experiment, recorded, before?.run, (count) => bar.update((done += count), total, recorded.name)));
  }
  bar.end(
    replayed === 0
      ? `already there: ${replays.map((run) => run.name).join(', ')}`
      : `${replays.map((run) => run.name).join(', ')}: ${recording.reduce((sum, run) => sum + run.metrics.length, 0)} metric points, times shifted to now`,
  );
  return replays;
}

async function ensureExperiment(context: DemoContext, api: Mlflow, recording: RecordedRun[]): Promise<{ id: string; offset: number }> {
  let experiment = await findExperiment(context);
  if (experiment === undefined) {
    const { experiment_id } = await api.post<{ experiment_id: string }>('experiments/create', {
      name: NAME,
      tags: pairs({
        'mlflow.note.content':
          'Will this flight arrive 15 minutes late or more? Three recorded training runs, replayed by the demo with their times shifted to its start.',
      }),
    });
    experiment = { id: experiment_id, tags: {} };
  }
  const known = experiment.tags[OFFSET_TAG];
  const offset = known === undefined ? offsetTo(recording, Date.now()) : Number(known);
  if (known === undefined) await setExperimentTag(context, experiment.id, OFFSET_TAG, String(offset));
  return { id: experiment.id, offset };
}

async function findRun(api: Mlflow, experimentId: string, recorded: RecordedRun): Promise<{ run: MlflowRun; complete?: ReplayedRun } | undefined> {
  const { runs = [] } = await api.post<{ runs?: MlflowRun[] }>('runs/search', {
    experiment_ids: [experimentId],
    filter: `tags.\`${RECORDED_TAG}\` = '${recorded.run_id}'`,
    max_results: 1,
  });
  const [run] = runs;
  if (run === undefined) return undefined;
  if (run.info.status !== recorded.status) return { run };
  const model = await findModel(api, experimentId, run.info.run_id);
  return model === undefined ? { run } : { run, complete: { name: recorded.name, runId: run.info.run_id, modelId: model.info.model_id } };
}

async function findModel(api: Mlflow, experimentId: string, runId: string): Promise<LoggedModel | undefined> {
  const { models = [] } = await api.post<{ models?: LoggedModel[] }>('logged-models/search', {
    experiment_ids: [experimentId],
    filter: `source_run_id = '${runId}'`,
    max_results: 1,
  });
  return models[0];
}

/** Every call can be made again: the same param, point, input or file once more changes nothing. */
async function replay(
  api: Mlflow,
  experiment: { id: string; offset: number },
  recorded: RecordedRun,
  begun: MlflowRun | undefined,
  step: (count: number) => void,
): Promise<ReplayedRun> {
  const { offset } = experiment;
  const run =
    begun ??
    (
      await api.post<{ run: MlflowRun }>('runs/create', {
        experiment_id: experiment.id,
        user_id: 'demo',
        run_name: recorded.name,
        start_time: recorded.start_time + offset,
        tags: pairs({ ...recorded.tags, [RECORDED_TAG]: recorded.run_id }),
      })
    ).run;
  const runId = run.info.run_id;
  const datasets = recorded.datasets.map(({ tags, ...dataset }) => ({ dataset, tags: pairs(tags) }));
  await api.post('runs/log-inputs', { run_id: runId, datasets });
  await api.post('runs/log-batch', { run_id: runId, params: pairs(recorded.params) });

  const send = async (points: RecordedRun['metrics'], modelId?: string) => {
    for (const piece of pieces(points, BATCH)) {
      const metrics = piece.map(({ key, value, timestamp, step }) => ({
        key,
        value,
        timestamp: timestamp + offset,
        step,
        ...(modelId === undefined ? {} : { model_id: modelId }),
      }));
      await api.post('runs/log-batch', { run_id: runId, metrics });
      step(metrics.length);
    }
  };
  await send(recorded.metrics.filter((point) => point.model !== true));

  const model = (await findModel(api, experiment.id, runId)) ?? (await createModel(api, experiment.id, runId, recorded));
  const modelId = model.info.model_id;
  await api.post('runs/outputs', { run_id: runId, models: [{ model_id: modelId, step: 0 }] });
  for (const file of recorded.model.files) {
    const content = await readFile(join(recorded.folder, 'model', file));
    const ids = { runId: recorded.run_id, modelId: recorded.model.model_id };
    await api.putArtifact(
      model.info.artifact_uri,
      file,
      file === 'MLmodel'
        ? new TextEncoder().encode(rewriteMlModel(content.toString('utf8'), ids, { runId, modelId, artifactUri: model.info.artifact_uri }))
        : content,
    );
    step(1);
  }
  await api.patch(`logged-models/${modelId}`, { model_id: modelId, status: 'LOGGED_MODEL_READY' });
  await send(
    recorded.metrics.filter((point) => point.model === true),
    modelId,
  );
  for (const file of recorded.artifacts) {
    await api.putArtifact(run.info.artifact_uri, file, await readFile(join(recorded.folder, 'artifacts', file)));
    step(1);
  }
  await api.post('runs/update', { run_id: runId, status: recorded.status, end_time: recorded.end_time + offset });
  return { name: recorded.name, runId, modelId };
}

async function createModel(api: Mlflow, experimentId: string, runId: string, recorded: RecordedRun): Promise<LoggedModel> {
  const { name, model_type, params, tags } = recorded.model;
  const { model } = await api.post<{ model: LoggedModel }>('logged-models', {
    experiment_id: experimentId,
    name,
    ...(model_type === '' ? {} : { model_type }),
    source_run_id: runId,
    params: pairs(params),
    tags: pairs(tags),
  });
  return model;
}
