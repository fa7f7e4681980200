import { looseNumber } from '../../kernel/index.ts';
import type { DatasetInput, ExperimentRecord, LatestMetrics, LoggedModelRecord, Points, RunInfo, RunRecord } from '../../tracking/index.ts';

/** MLflow's steps are integers: of one with a fraction it sees the whole part. */
const wholeStep = (step: number | undefined): number => Math.floor(step as number);

/** Our records as MLflow's messages. */
export const experimentJson = (experiment: ExperimentRecord) => ({
  experiment_id: experiment.id,
  name: experiment.name,
  artifact_location: experiment.artifactLocation,
  lifecycle_stage: experiment.lifecycleStage,
  last_update_time: experiment.updatedAt,
  creation_time: experiment.createdAt,
  tags: experiment.tags,
});

export const runInfoJson = (run: RunInfo) => ({
  run_uuid: run.runId,
  experiment_id: run.experimentId,
  run_name: run.name,
  user_id: run.userId,
  status: run.status,
  start_time: run.startTime,
  ...(run.endTime === null ? {} : { end_time: run.endTime }),
  artifact_uri: run.artifactUri,
  lifecycle_stage: run.lifecycleStage,
  run_id: run.runId,
});

const pairs = (flat: string[]) => {
  const list: { key: string; value: string }[] = [];
  for (let i = 0; i < flat.length; i += 2) list.push({ key: flat[i] as string, value: flat[i + 1] as string });
  return list;
};

const latestJson = ({ keys, values, steps, timestamps }: LatestMetrics) =>
  keys.map((key, i) => ({ key, value: looseNumber(values[i] as number), timestamp: timestamps[i] as number, step: wholeStep(steps[i]) }));

const datasetJson = ({ dataset, tags }: DatasetInput) => ({
  tags,
  dataset: {
    name: dataset.name,
    digest: dataset.digest,
    source_type: dataset.sourceType,
    source: dataset.source,
    ...(dataset.schema === null ? {} : { schema: dataset.schema }),
    ...(dataset.profile === null ? {} : { profile: dataset.profile }),
  },
});

export const runJson = (run: RunRecord) => ({
  info: runInfoJson(run),
  data: { metrics: latestJson(run.metrics), params: pairs(run.params), tags: pairs(run.tags) },
  inputs: { dataset_inputs: run.datasets.map(datasetJson), model_inputs: run.modelInputs.map((model_id) => ({ model_id })) },
  outputs: { model_outputs: run.modelOutputs.map(({ modelId, step }) => ({ model_id: modelId, step })) },
});

/** Points of one metric as MLflow's Metric messages. */
export function pointsJson(key: string, { steps, timestamps, values }: Points, runId?: string) {
  return Array.from(steps, (step, i) => ({
    key,
    value: looseNumber(values[i] as number),
    timestamp: timestamps[i] as number,
    step: wholeStep(step),
    ...(runId === undefined ? {} : { run_id: runId }),
  }));
}

export const loggedModelJson = (model: LoggedModelRecord) => ({
  info: {
    model_id: model.modelId,
    experiment_id: model.experimentId,
    name: model.name,
    creation_timestamp_ms: model.createdAt,
    last_updated_timestamp_ms: model.updatedAt,
    artifact_uri: model.artifactUri,
    status: model.status,
    model_type: model.modelType,
    source_run_id: model.sourceRunId,
    ...(model.statusMessage === null ? {} : { status_message: model.statusMessage }),
    tags: model.tags,
  },
  data: {
    params: model.params,
    metrics: model.metrics.map((metric) => ({
      key: metric.key,
      value: looseNumber(metric.value),
      timestamp: metric.timestamp,
      step: wholeStep(metric.step),
      model_id: model.modelId,
      ...(metric.datasetName === null ? {} : { dataset_name: metric.datasetName }),
      ...(metric.datasetDigest === null ? {} : { dataset_digest: metric.datasetDigest }),
      run_id: metric.runId,
    })),
  },
});
