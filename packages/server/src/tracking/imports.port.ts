import type { DatasetInput, KeyValue, LifecycleStage, LoggedModelStatus, ModelOutput, PointBatch, RunStatus } from './types.ts';

/** `removed`: an earlier import brought it, and it is gone here since. `kept`: fields that were changed on both sides, and stay as they are here. */
export interface Imported {
  outcome: 'created' | 'updated' | 'unchanged' | 'removed';
  kept: string[];
}

export interface ExperimentImport {
  /** What it is known by where it comes from. */
  source: string;
  id: string;
  name: string;
  createdAt: number;
  updatedAt: number;
  lifecycleStage: LifecycleStage;
  /** null: `<root>/<id>`. */
  artifactLocation: string | null;
  root: string;
  tags: KeyValue[];
}

export interface RunImport {
  runId: string;
  experimentId: string;
  name: string;
  userId: string;
  status: RunStatus;
  startTime: number;
  endTime: number | null;
  lifecycleStage: LifecycleStage;
  deletedAt: number | null;
  /** null: below the experiment's own. */
  artifactUri: string | null;
  params: KeyValue[];
  tags: KeyValue[];
  datasets: DatasetInput[];
  modelInputs: string[];
  modelOutputs: ModelOutput[];
  points: PointBatch | null;
  /** Given when it is whole with this. */
  digest: string | null;
}

export interface LoggedModelImport {
  modelId: string;
  experimentId: string;
  name: string;
  modelType: string;
  sourceRunId: string;
  status: LoggedModelStatus;
  statusMessage: string | null;
  createdAt: number;
  updatedAt: number;
  lifecycleStage: LifecycleStage;
  /** null: below the experiment's own. */
  artifactUri: string | null;
  params: KeyValue[];
  tags: KeyValue[];
}

/**
 * Bringing in what was logged elsewhere, under the ids and with the times that it had there. Each call is one transaction, and may be done again: of what is here
 * already, what is new elsewhere is added, a field that was not changed here follows, one that was changed on both sides stays. Throws `conflict` when the id is
 * that of something which did not come by an import.
 */
export interface TrackingImports {
  /**
   * Under its id when that is free, into the experiment of its name when there is one, else under a new id. `conflict` (code `experiment_deleted_here`) when the one
   * of its name was deleted here. `experimentId` is null when it was removed here.
   */
  importExperiment(experiment: ExperimentImport): Promise<Imported & { experimentId: string | null }>;
  /** `conflict` (code `run_not_imported`). `points`: those that were not here yet. */
  importRun(run: RunImport): Promise<Imported & { artifactUri: string | null; points: number }>;
  /** Takes deleted runs, too. Returns how many points were not here yet. */
  importPoints(runId: string, points: PointBatch): Promise<number>;
  /** `conflict` (code `logged_model_not_imported`). */
  importLoggedModel(model: LoggedModelImport): Promise<Imported & { artifactUri: string | null }>;
}
