import type { Pair, SourceExperiment, SourceLoggedModel, SourceModel, SourceRun, SourceVersion, Stage } from '../../transfer/index.ts';

export type Loose = number | string | null | undefined;
export interface WirePoint {
  key: string;
  value: Loose;
  step?: Loose;
  timestamp?: Loose;
  run_id?: string;
  model_id?: string;
  dataset_name?: string;
  dataset_digest?: string;
}
export interface WireExperiment {
  experiment_id: string;
  name: string;
  artifact_location?: string;
  lifecycle_stage: string;
  creation_time?: Loose;
  last_update_time?: Loose;
  tags?: Pair[];
}
export interface WireRun {
  info: {
    run_id: string;
    experiment_id: string;
    run_name?: string;
    user_id?: string;
    status: string;
    start_time?: Loose;
    end_time?: Loose;
    artifact_uri?: string;
    lifecycle_stage: string;
  };
  data?: { params?: Pair[]; tags?: Pair[]; metrics?: WirePoint[] };
  inputs?: {
    dataset_inputs?: { tags?: Pair[]; dataset: { name: string; digest: string; source_type: string; source: string; schema?: string; profile?: string } }[];
    model_inputs?: { model_id: string }[];
  };
  outputs?: { model_outputs?: { model_id: string; step?: Loose }[] };
}
export interface WireModel {
  info: {
    model_id: string;
    experiment_id: string;
    name: string;
    creation_timestamp_ms?: Loose;
    last_updated_timestamp_ms?: Loose;
    artifact_uri: string;
    status: string;
    status_message?: string;
    model_type?: string;
    source_run_id?: string;
    tags?: Pair[];
  };
  data?: { params?: Pair[]; metrics?: WirePoint[] };
}
export interface WireRegistered {
  name: string;
  creation_timestamp?: Loose;
  last_updated_timestamp?: Loose;
  description?: string;
  tags?: Pair[];
  aliases?: { alias: string; version: Loose }[];
  latest_versions?: { version: Loose }[];
}
export interface WireVersion {
  name: string;
  version: Loose;
  creation_timestamp?: Loose;
  last_updated_timestamp?: Loose;
  current_stage?: string;
  description?: string;
  source?: string;
  run_id?: string;
  run_link?: string;
  status?: string;
  tags?: Pair[];
}

const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const;
const number = (value: Loose): number => Number(value ?? 0);
const stageOf = (stage: string): Stage => (stage === 'deleted' ? 'deleted' : 'active');
/** In one order, so that what did not change looks the same. */
const sorted = (pairs: Pair[] | undefined): Pair[] =>
  (pairs ?? []).map(({ key, value }) => ({ key, value: value ?? '' })).sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));

/** A metric's value; MLflow's databases keep the largest double where an infinity was logged. */
export function valueOf(value: Loose): number {
  const n = Number(value);
  return n === Number.MAX_VALUE ? Number.POSITIVE_INFINITY : n === -Number.MAX_VALUE ? Number.NEGATIVE_INFINITY : n;
}

export const experimentOf = (e: WireExperiment): SourceExperiment => ({
  id: e.experiment_id,
  name: e.name,
  artifactLocation: e.artifact_location ?? '',
  lifecycleStage: stageOf(e.lifecycle_stage),
  createdAt: number(e.creation_time),
  updatedAt: number(e.last_update_time),
  tags: sorted(e.tags),
});

/** A run that has ended is taken to have its points, unless its last ones change: the API does not count them. */
export function runOf({ info, data, inputs, outputs }: WireRun): SourceRun {
  const tags = sorted(data?.tags);
  const ended = info.status === 'FINISHED' || info.status === 'FAILED' || info.status === 'KILLED';
  const last = (data?.metrics ?? []).map(({ key, value, step, timestamp }) => [key, String(value), number(step), number(timestamp)].join(' ')).sort();
  return {
    runId: info.run_id,
    experimentId: info.experiment_id,
    name: info.run_name || tags.find(({ key }) => key === 'mlflow.runName')?.value || '',
    user: info.user_id ?? '',
    status: info.status as SourceRun['status'],
    startedAt: number(info.start_time),
    endedAt: info.end_time === null || info.end_time === undefined || Number(info.end_time) === 0 ? null : Number(info.end_time),
    lifecycleStage: stageOf(info.lifecycle_stage),
    deletedAt: null,
    artifactUri: info.artifact_uri ?? '',
    params: sorted(data?.params),
    tags,
    datasets: (inputs?.dataset_inputs ?? []).map(({ dataset, tags: own }) => ({
      name: dataset.name,
      digest: dataset.digest,
      sourceType: dataset.source_type,
      source: dataset.source,
      schema: dataset.schema ?? null,
      profile: dataset.profile ?? null,
      tags: sorted(own),
    })),
    modelInputs: (inputs?.model_inputs ?? []).map(({ model_id }) => model_id),
    modelOutputs: (outputs?.model_outputs ?? []).map(({ model_id, step }) => ({ modelId: model_id, step: number(step) })),
    metrics: ended ? last.join('\n') : null,
  };
}

export const loggedModelOf = ({ info, data }: WireModel): SourceLoggedModel => ({
  modelId: info.model_id,
  experimentId: info.experiment_id,
  name: info.name,
  modelType: info.model_type ?? '',
  sourceRunId: info.source_run_id ?? '',
  status: info.status as SourceLoggedModel['status'],
  statusMessage: info.status_message || null,
  createdAt: number(info.creation_timestamp_ms),
  updatedAt: number(info.last_updated_timestamp_ms),
  lifecycleStage: 'active',
  artifactUri: info.artifact_uri,
  params: sorted(data?.params),
  tags: sorted(info.tags),
});

export const modelOf = (m: WireRegistered): SourceModel => ({
  name: m.name,
  description: m.description ?? '',
  createdAt: number(m.creation_timestamp),
  updatedAt: number(m.last_updated_timestamp),
  lastVersion: Math.max(0, ...(m.latest_versions ?? []).map(({ version }) => number(version))),
  tags: sorted(m.tags),
  aliases: (m.aliases ?? []).map(({ alias, version }) => ({ alias, version: number(version) })),
});

export const versionOf = (v: WireVersion): SourceVersion => ({
  model: v.name,
  version: number(v.version),
  description: v.description ?? '',
  stage: STAGES.find((stage) => stage === v.current_stage) ?? 'None',
  status: v.status ?? 'READY',
  source: v.source ?? '',
  runId: v.run_id || null,
  runLink: v.run_link || null,
  createdAt: number(v.creation_timestamp),
  updatedAt: number(v.last_updated_timestamp),
  tags: sorted(v.tags),
});
