import type { Pair, SourceLoggedModel, SourceModel, SourceRun, SourceSeries, SourceVersion, Stage } from './mlflow-source.port.ts';

export interface TargetResult {
  outcome: 'created' | 'updated' | 'unchanged' | 'removed';
  /** Fields that were changed on both sides, and stay as they are here. */
  kept: string[];
}

export type TargetKind = 'experiment' | 'run' | 'logged-model' | 'version' | 'model';

export interface TargetRun extends Omit<SourceRun, 'metrics' | 'artifactUri'> {
  artifactUri: string | null;
  series: SourceSeries[];
  digest: string | null;
}

/** A Binnacle that takes what comes from an MLflow. Everything may be done again without harm. */
export interface MlflowTarget {
  /** The digests of those that came in before, null where that did not come to its end. */
  known(kind: TargetKind, ids: string[]): Promise<Map<string, string | null>>;
  finish(kind: TargetKind, done: { id: string; digest: string }[]): Promise<void>;
  importExperiment(experiment: {
    source: string;
    id: string;
    name: string;
    createdAt: number;
    updatedAt: number;
    lifecycleStage: Stage;
    artifactLocation: string | null;
    tags: Pair[];
  }): Promise<TargetResult & { experimentId: string | null }>;
  importRuns(
    runs: TargetRun[],
  ): Promise<
    { runId: string; outcome: TargetResult['outcome'] | 'failed'; kept: string[]; artifactUri: string | null; points: number; problem: string | null }[]
  >;
  /** Returns how many were not there yet. */
  importPoints(runId: string, series: SourceSeries[]): Promise<number>;
  importLoggedModel(model: Omit<SourceLoggedModel, 'artifactUri'> & { artifactUri: string | null }): Promise<TargetResult & { artifactUri: string | null }>;
  importModel(model: Omit<SourceModel, 'aliases'>): Promise<TargetResult>;
  importVersion(version: Omit<SourceVersion, 'status'>): Promise<TargetResult & { problem: string | null }>;
  importAliases(model: string, aliases: { alias: string; version: number }[]): Promise<{ set: string[]; removed: string[]; kept: string[]; guarded: string[] }>;
  /** Where a run's or logged model's files are; undefined when there is none of that id. */
  artifactUri(kind: 'run' | 'logged-model', id: string): Promise<string | undefined>;
  /** Sizes of the files below an artifact URI of this server's own store, by path. */
  listFiles(uri: string): Promise<Map<string, number>>;
  /** Stores a file; throws when what arrived is not what was sent. Returns its bytes. */
  putFile(uri: string, path: string, body: AsyncIterable<Uint8Array>, size: number | null): Promise<number>;
}
