interface At {
  key: string;
  step: number;
  timestamp: number;
}
export interface TargetPoint extends At {
  value: number;
}

/** What is logged at once. A file of an entry is among the run's artifacts already. */
export interface TargetBatch {
  metrics?: TargetPoint[];
  params?: Record<string, string>;
  tags?: Record<string, string>;
  strings?: (At & { value: string })[];
  histograms?: (At & { edges: number[]; counts: number[] })[];
  files?: (At & { path: string })[];
}

export interface TargetModel {
  name: string;
  description: string;
  createdAt: number;
  updatedAt: number;
  /** The highest number of a version. */
  lastVersion: number;
  tags: Record<string, string>;
}

export interface TargetVersion {
  model: string;
  version: number;
  description: string;
  stage: 'None' | 'Staging' | 'Production' | 'Archived';
  source: string;
  runId: string;
  createdAt: number;
  updatedAt: number;
  tags: Record<string, string>;
}

/** Where an import writes to: a Binnacle, over its API. Everything may be done again without harm. */
export interface ImportTarget {
  /** Runs of an experiment (deleted ones too) that have a tag, by its value. None when there is no such experiment. */
  runsByTag(experiment: string, key: string): Promise<Map<string, { runId: string; tags: Record<string, string> }>>;
  /** The experiment is made when it does not exist. */
  createRun(run: { experiment: string; name: string; startedAt: number | null; user: string; tags: Record<string, string> }): Promise<string>;
  log(runId: string, batch: TargetBatch): Promise<void>;
  /** Makes a run a fork of another; the same again is fine, another is refused. */
  fork(runId: string, fork: { runId: string; step: number }, tags: Record<string, string>): Promise<void>;
  finish(runId: string, end: { status: 'FINISHED' | 'FAILED'; endedAt: number; note: string | null; tags: Record<string, string> }): Promise<void>;
  /** Stores a file among the run's artifacts. */
  putFile(runId: string, path: string, body: { file: string } | { text: AsyncIterable<string> }): Promise<void>;
  /** A tag of a registered model; undefined without that model, '' without that tag. */
  modelTag(model: string, key: string): Promise<string | undefined>;
  /** What was imported before and changed here since stays as it is here. */
  registerModel(model: TargetModel): Promise<void>;
  /** `removed`: it was removed here since. `problem`: why its source was not found. */
  registerVersion(version: TargetVersion): Promise<{ outcome: 'created' | 'updated' | 'unchanged' | 'removed'; problem: string | null }>;
}
