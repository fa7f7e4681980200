import { isElsewhere } from '../artifacts/index.ts';
import { invalid } from '../kernel/index.ts';
import { ARTIFACT_ROOT, checkLocation } from './experiments.ts';
import type { ExperimentImport, Imported, LoggedModelImport, RunImport, TrackingImports } from './imports.port.ts';
import type { KeyValue, PointBatch, SeriesOwner } from './types.ts';
import { checkDatasetInput, checkExperimentName, checkLoggedModelName, checkRunId } from './validation.ts';

const MAX_KEY = 250;
/** Of a logged model's params and tags. */
const MAX_MODEL_KEY = 255;

/** A series in columns; values may be NaN or infinite. */
export interface SeriesColumns extends SeriesOwner {
  key: string;
  steps: number[];
  timestamps: number[];
  values: number[];
}

export type TrackingImportService = ReturnType<typeof createTrackingImports>;

/**
 * Bringing runs in from elsewhere. Names are taken as they are where another server has let them in: what is refused is what could not be kept or found again
 * (no name, not Unicode, twice the same).
 */
export function createTrackingImports(store: TrackingImports) {
  return {
    async importExperiment(experiment: Omit<ExperimentImport, 'root'>): Promise<Awaited<ReturnType<TrackingImports['importExperiment']>>> {
      checkExperimentName(experiment.name);
      checkTexts(experiment.tags, 'tags');
      if (experiment.artifactLocation !== null) checkLocation(experiment.artifactLocation);
      return store.importExperiment({ ...experiment, root: ARTIFACT_ROOT });
    },
    async importRun(run: Omit<RunImport, 'points'> & { series: SeriesColumns[] }): Promise<Imported & { artifactUri: string | null; points: number }> {
      const { series, ...rest } = run;
      checkRunId(run.runId, 'runId');
      checkElsewhere(run.artifactUri);
      checkTexts(run.params, 'params');
      checkTexts(run.tags, 'tags');
      for (const input of run.datasets) checkDatasetInput(input);
      return store.importRun({ ...rest, points: toPoints(series) });
    },
    async importPoints(runId: string, series: SeriesColumns[]): Promise<number> {
      const points = toPoints(series);
      return points === null ? 0 : store.importPoints(runId, points);
    },
    async importLoggedModel(model: LoggedModelImport): Promise<Imported & { artifactUri: string | null }> {
      checkLoggedModelName(model.name);
      checkElsewhere(model.artifactUri);
      checkTexts(model.params, 'params', MAX_MODEL_KEY);
      checkTexts(model.tags, 'tags', MAX_MODEL_KEY);
      return store.importLoggedModel(model);
    },
  };
}

/** What is in this server's store is in the place that it gives: the files of what is removed for good are removed with it. */
function checkElsewhere(artifactUri: string | null): void {
  if (artifactUri !== null && !isElsewhere(artifactUri))
    throw invalid(
      'invalid_artifact_uri',
      `artifactUri ${JSON.stringify(artifactUri)} does not lead to another store, such as s3://…. Give null for the place that this server gives, and upload the files there.`,
    );
}

function checkTexts(texts: KeyValue[], what: string, limit = MAX_KEY): void {
  const seen = new Set<string>();
  for (const { key } of texts) {
    checkKeyLength(key, what, limit);
    if (!key.isWellFormed()) throw invalid('invalid_key', `A key of ${what} is not valid Unicode: ${JSON.stringify(key.slice(0, 100).toWellFormed())}.`);
    if (seen.has(key)) throw invalid('duplicate_key', `${what} has the key ${JSON.stringify(key.slice(0, 100))} twice.`);
    seen.add(key);
  }
}

/** Characters, as MLflow counts them: those beyond the first plane are one. */
function checkKeyLength(key: string, what: string, limit: number): void {
  if (key.length > limit && [...key].length > limit)
    throw invalid('value_too_long', `A key of ${what} is longer than ${limit} characters: ${JSON.stringify(key.slice(0, 60).toWellFormed())}…`);
}

function toPoints(series: SeriesColumns[]): PointBatch | null {
  const filled = series.filter(({ steps }) => steps.length > 0);
  if (filled.length === 0) return null;
  for (const { key } of filled) checkKeyLength(key, 'metrics', MAX_KEY);
  const offsets = new Uint32Array(filled.length + 1);
  for (const [i, { steps }] of filled.entries()) offsets[i + 1] = (offsets[i] as number) + steps.length;
  const flat = (column: 'steps' | 'timestamps' | 'values') => Float64Array.from(filled.flatMap((one) => one[column]));
  return {
    series: filled.map(({ key, modelId, datasetName, datasetDigest }) => ({ key, modelId, datasetName, datasetDigest })),
    offsets,
    steps: flat('steps'),
    timestamps: flat('timestamps'),
    values: flat('values'),
  };
}
