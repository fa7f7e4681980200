/** A logged model (`m-…`): the folder with an `MLmodel` that a run made. */
export interface LoggedModelSummary {
  modelId: string;
  name: string;
  /** `mlflow-artifacts:/…`. */
  artifactUri: string;
  sourceRunId: string | null;
}

export interface RunSummary {
  runId: string;
  experimentId: string;
  name: string;
  /** `mlflow-artifacts:/…`. */
  artifactUri: string;
  datasets: { name: string; digest: string; context: string | null }[];
}

/** What the registry and the gates need to know of runs. Tracking's service implements it; compose wires it. */
export interface RunDirectory {
  /** Undefined when there is no such run. */
  run(runId: string): Promise<RunSummary | undefined>;
  /** Latest values (NaN and infinities as they are): of the named keys that the run has, or of its first 1000 by name. {} for an unknown run. */
  metrics(runId: string, keys?: string[]): Promise<Record<string, number>>;
  loggedModel(modelId: string): Promise<LoggedModelSummary | undefined>;
  /** The newest logged model of a run by its name: where `runs:/<run>/<name>` leads when the run's own artifacts have no such folder. */
  loggedModelOfRun(runId: string, name: string): Promise<LoggedModelSummary | undefined>;
  /** Remembers at the logged model that a version was made of it (MLflow's tag `mlflow.modelVersions`). Idempotent. */
  noteVersion(modelId: string, model: string, version: number): Promise<void>;
}
