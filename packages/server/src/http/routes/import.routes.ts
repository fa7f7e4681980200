import type { ImportRun, importOperations, ImportSeries } from '@binnacle/contract';
import { BinnacleError, type Logger } from '../../kernel/index.ts';
import type { RegistryImportService } from '../../registry/index.ts';
import type { SeriesColumns, TrackingImportService } from '../../tracking/index.ts';
import type { ImportMarks } from '../../transfer/index.ts';
import type { Handlers } from '../handlers.ts';

export interface ImportDeps {
  tracking: TrackingImportService;
  registry: RegistryImportService;
  marks: ImportMarks;
  logger: Logger;
}

/** Bringing things in from elsewhere under their own ids. */
export function importHandlers({ tracking, registry, marks, logger }: ImportDeps): Handlers<typeof importOperations> {
  return {
    listImported: async ({ body }) => ({ known: await marks.known(body.kind, body.ids) }),
    async finishImport({ body }) {
      await marks.finish(body.kind, body.done);
      return {};
    },
    importExperiment: ({ body }) => tracking.importExperiment(body),
    // Side by side, so that they share a commit; each is a transaction of its own all the same.
    importRuns: async ({ body }) => ({ results: await Promise.all(body.runs.map((run) => importRun(tracking, run, logger))) }),
    importPoints: async ({ params, body }) => ({ points: await tracking.importPoints(params.runId, body.series.map(columnsOf)) }),
    importLoggedModel: ({ body }) => tracking.importLoggedModel(body),
    importModel: ({ body }) => registry.importModel({ ...body, tags: recordOf(body.tags) }),
    importVersion: ({ body }) => registry.importVersion({ ...body, tags: recordOf(body.tags) }),
    importAliases: ({ body }) => registry.importAliases(body.model, body.aliases),
  };
}

async function importRun(tracking: TrackingImportService, run: ImportRun, logger: Logger) {
  const { user, startedAt, endedAt, datasets, series, ...rest } = run;
  try {
    const imported = await tracking.importRun({
      ...rest,
      userId: user,
      startTime: startedAt,
      endTime: endedAt,
      datasets: datasets.map(({ tags, ...dataset }) => ({ dataset, tags })),
      series: series.map(columnsOf),
    });
    return { runId: run.runId, ...imported, problem: null };
  } catch (err) {
    // A database that is away is the whole request's failure: it is to be sent again.
    if (!(err instanceof BinnacleError) || err.kind === 'unavailable' || err.kind === 'exhausted') throw err;
    if (err.kind === 'internal') logger.error({ err, runId: run.runId }, 'a run could not be imported');
    return { runId: run.runId, outcome: 'failed' as const, kept: [], artifactUri: null, points: 0, problem: err.message };
  }
}

const columnsOf = ({ values, ...series }: ImportSeries): SeriesColumns => ({ ...series, values: values.map(Number) });
const recordOf = (tags: { key: string; value: string }[]): Record<string, string> => Object.fromEntries(tags.map(({ key, value }) => [key, value]));
