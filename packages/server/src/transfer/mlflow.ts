import type { Context, MlflowImport } from './mlflow/context.ts';
import { importExperiments } from './mlflow/experiments.ts';
import { importLoggedModels } from './mlflow/logged-models.ts';
import { importRegistry } from './mlflow/registry.ts';
import { addTo, type MlflowReport, newReport } from './mlflow/report.ts';
import { importRuns } from './mlflow/runs.ts';

export type { MlflowImport } from './mlflow/context.ts';
export type { MlflowReport, Tally } from './mlflow/report.ts';

/**
 * Brings what an MLflow holds into a Binnacle, under the ids, numbers and times that it has there. Done again, it adds what is new there, and leaves what was changed
 * here; broken off, it goes on when done again. What could not be brought in is in the report, and does not keep the rest.
 */
export async function importMlflow(options: MlflowImport): Promise<MlflowReport> {
  const { source, dryRun, experiments } = options;
  const report = newReport(source.place, dryRun);
  const context: Context = { ...options, report, experimentIds: new Map() };
  await importExperiments(context);
  // Before the runs, so that what a run made is there when the run is.
  await importLoggedModels(context);
  await importRuns(context);
  report.leftOut = await source.leftOut();
  if (experiments.length === 0) await importRegistry(context);
  else addTo(report, 'notes', { what: 'registered models', message: 'They were not asked for: they come with an import that names no experiment.' });
  const odd = source.oddPoints();
  if (odd > 0) report.leftOut.push({ what: 'points of metrics', count: odd, why: 'their step or time is beyond 2^53, which is not kept exactly here' });
  return report;
}
