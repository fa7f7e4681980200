export interface Pair {
  key: string;
  value: string;
}
export type Stage = 'active' | 'deleted';

export interface SourceExperiment {
  id: string;
  name: string;
  artifactLocation: string;
  lifecycleStage: Stage;
  /** 0 where MLflow did not note it yet. */
  createdAt: number;
  updatedAt: number;
  tags: Pair[];
}

export interface SourceDataset {
  name: string;
  digest: string;
  sourceType: string;
  source: string;
  schema: string | null;
  profile: string | null;
  tags: Pair[];
}

export interface SourceRun {
  runId: string;
  experimentId: string;
  name: string;
  user: string;
  status: 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
  startedAt: number;
  endedAt: number | null;
  lifecycleStage: Stage;
  deletedAt: number | null;
  artifactUri: string;
  params: Pair[];
  tags: Pair[];
  datasets: SourceDataset[];
  modelInputs: string[];
  modelOutputs: { modelId: string; step: number }[];
  /** Changes with its metrics: what tells that no point has come since. null where nothing does. */
  metrics: string | null;
}

/** Points of one series in columns, as long as each other. Steps and times that a double does not hold exactly are left out. */
export interface SourceSeries {
  key: string;
  modelId: string | null;
  datasetName: string | null;
  datasetDigest: string | null;
  steps: number[];
  timestamps: number[];
  values: number[];
}

export interface SourceLoggedModel {
  modelId: string;
  experimentId: string;
  name: string;
  modelType: string;
  sourceRunId: string;
  status: 'LOGGED_MODEL_STATUS_UNSPECIFIED' | 'LOGGED_MODEL_PENDING' | 'LOGGED_MODEL_READY' | 'LOGGED_MODEL_UPLOAD_FAILED';
  statusMessage: string | null;
  createdAt: number;
  updatedAt: number;
  lifecycleStage: Stage;
  artifactUri: string;
  params: Pair[];
  tags: Pair[];
}

export interface SourceModel {
  name: string;
  description: string;
  createdAt: number;
  updatedAt: number;
  /** The highest number that a version ever had, as far as it is known. */
  lastVersion: number;
  tags: Pair[];
  aliases: { alias: string; version: number }[];
}

export interface SourceVersion {
  model: string;
  version: number;
  description: string;
  stage: 'None' | 'Staging' | 'Production' | 'Archived';
  /** READY, or what it is else. */
  status: string;
  source: string;
  runId: string | null;
  runLink: string | null;
  createdAt: number;
  updatedAt: number;
  tags: Pair[];
}

export interface SourceFile {
  /** Below the artifact location, '/'-separated. */
  path: string;
  /** Bytes; null where only reading tells. */
  size: number | null;
  open(): Promise<AsyncIterable<Uint8Array>>;
}

/** Whose files: an artifact location is read when it is the owner's own. */
export interface FileOwner {
  kind: 'run' | 'logged-model';
  id: string;
  uri: string;
}

/** What an MLflow holds. Nothing is ever written to it. Pages are some hundreds of things, so that memory stays flat. */
export interface MlflowSource {
  /** Where it is, for a person. */
  place: string;
  /** Whether listing an owner's files costs no request. */
  listsForNothing: boolean;
  experiments(): Promise<SourceExperiment[]>;
  /** null: not known beforehand. */
  countRuns(experimentIds: ReadonlySet<string>): Promise<number | null>;
  runs(experimentIds: ReadonlySet<string>): AsyncIterable<SourceRun[]>;
  /** A run's points, at most 10,000 at a time. One that was measured for a logged model names it. */
  series(run: SourceRun): AsyncIterable<SourceSeries[]>;
  loggedModels(experimentIds: ReadonlySet<string>): AsyncIterable<SourceLoggedModel[]>;
  /** Without prompts. */
  models(): AsyncIterable<SourceModel[]>;
  versions(): AsyncIterable<SourceVersion[]>;
  /** `elsewhere`: the files are in another store (s3://…) and their URI goes on leading there. */
  files(owner: FileOwner): Promise<{ files: SourceFile[] } | { unreadable: string; elsewhere: boolean }>;
  /** What is there and has no place here; `count` null: the source does not tell. */
  leftOut(): Promise<{ what: string; count: number | null; why: string }[]>;
  /** Points that were left out while reading, since their step or time is no whole number that a double holds. */
  oddPoints(): number;
  close(): Promise<void>;
}
