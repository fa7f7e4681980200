import type { BatchJob, DriftReport, EndpointDetail, QualityWindow } from '@binnacle/contract';
import { findApril } from './april.ts';
import { type DemoContext, FAULT, LIVE, NAME, WEEK_MS } from './context.ts';
import { findEndpoint } from './endpoint.ts';
import type { DemoSummary, QualityFigures, WeekFigures } from './figures.ts';
import { readFigures } from './live.ts';
import { type Candidate, findVersions, lastReport } from './models.ts';
import { RUN_NAMES, type RunName } from './recording.ts';
import { findExperiment, RECORDED_TAG } from './runs.ts';

const date = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Reads everything back from the server; nothing here is remembered from the steps, so a second start shows the same. */
export async function summarize(context: DemoContext): Promise<DemoSummary> {
  const { client, url, dataDir } = context;
  const endpointName = { params: { endpoint: NAME } };
  const endpoint = await findEndpoint(context);
  const range = { from: LIVE.from, to: LIVE.to };
  const [runs, candidates, batch, figures] = await Promise.all([readRuns(context), readCandidates(context), findApril(context), readFigures(context)]);
  const monitored =
    endpoint === undefined
      ? undefined
      : await Promise.all([
          client.call('getDrift', { ...endpointName, query: range }),
          client.call('getQuality', { ...endpointName, query: range }),
          client.call('listAlarms', { query: { endpoint: NAME, limit: 1000 } }),
          client.call('getEndpointStats', endpointName),
        ]);
  const [drift, quality, alarms, stats] = monitored ?? [];
  const champion = candidates.find(({ aliases }) => aliases.includes('champion'));
  return {
    url,
    dataDir,
    runs: runs.map(({ name, runId, status, auc, brier, url }) => ({ name, runId, status, auc, brier, url })),
    versions: candidates.map(({ name, version, aliases }) => ({ version, run: name, aliases, champion: aliases.includes('champion') })),
    gates: candidates.map(({ name, version, report }) => ({
      version,
      run: name,
      passed: report?.passed ?? null,
      results: (report?.results ?? []).map(({ gate, passed, message }) => ({ gate, passed, message })),
    })),
    endpoint: endpoint === undefined ? null : describeEndpoint(endpoint),
    batch: batch === undefined ? null : describeBatch(batch),
    live:
      figures === undefined
        ? null
        : { ...figures, from: date(LIVE.from), to: date(LIVE.to - 1), serverP50Ms: stats?.total.p50Ms ?? null, serverP99Ms: stats?.total.p99Ms ?? null },
    quality:
      quality?.overall == null
        ? null
        : {
            validation: validation(runs.find((run) => run.name === champion?.name)?.metrics ?? {}),
            live: { ...qualityOf(quality.overall), labelled: quality.overall.labelled },
          },
    drift: {
      windowSeconds: drift?.windowSeconds ?? WEEK_MS / 1000,
      baseline: drift?.baseline ?? null,
      excluded: (drift?.features ?? []).filter((feature) => feature.excluded).map((feature) => feature.name),
      simulatedFault: { from: date(FAULT.from), to: date(FAULT.to - 1), feature: FAULT.feature, what: FAULT.what },
      weeks: weeksOf(drift, quality?.windows ?? []),
    },
    // Alarms over what people sent themselves since then are not the demo's.
    alarms: (alarms?.alarms ?? [])
      .filter((alarm) => alarm.firstWindow < LIVE.to)
      .map(({ kind, feature, version, state, message, value, threshold, firstWindow }) => ({
        kind,
        feature,
        version,
        state,
        message,
        value,
        threshold,
        week: date(firstWindow),
      })),
  };
}

interface RunFigures {
  name: string;
  runId: string;
  status: string;
  auc: number | null;
  brier: number | null;
  url: string;
  metrics: Record<string, number | string>;
}

const numeric = (value: number | string | undefined): number | null => (typeof value === 'number' ? value : null);

async function readRuns(context: DemoContext): Promise<RunFigures[]> {
  const experiment = await findExperiment(context);
  if (experiment === undefined) return [];
  const { runs } = await context.client.call('searchRuns', { body: { experimentIds: [experiment.id], filter: `tags.\`${RECORDED_TAG}\` != ''`, limit: 100 } });
  const order = (name: string) => RUN_NAMES.indexOf(name as RunName);
  return runs
    .toSorted((a, b) => order(a.name) - order(b.name))
    .map((run) => ({
      name: run.name,
      runId: run.id,
      status: run.status,
      auc: numeric(run.metrics['val_auc']),
      brier: numeric(run.metrics['val_brier']),
      url: `${context.url}/ui/runs/${run.id}`,
      metrics: run.metrics,
    }));
}

async function readCandidates(context: DemoContext): Promise<(Omit<Candidate, 'name'> & { name: string; aliases: string[] })[]> {
  const versions = (await findVersions(context)) ?? [];
  return Promise.all(
    versions
      .toSorted((a, b) => a.version - b.version)
      .map(async (v) => ({ name: v.runName ?? '', version: v.version, aliases: v.aliases, report: await lastReport(context, v.version) })),
  );
}

const validation = (metrics: Record<string, number | string>): QualityFigures => ({
  auc: numeric(metrics['val_auc']),
  brier: numeric(metrics['val_brier']),
  accuracy: numeric(metrics['val_accuracy']),
  majorityBrier: numeric(metrics['majority_brier']),
  majorityAccuracy: numeric(metrics['majority_accuracy']),
});
const qualityOf = ({ auc, brier, accuracy, majorityBrier, majorityAccuracy }: QualityWindow): QualityFigures => ({
  auc,
  brier,
  accuracy,
  majorityBrier,
  majorityAccuracy,
});

function describeEndpoint(endpoint: EndpointDetail): DemoSummary['endpoint'] {
  const served = endpoint.versions.find((version) => !version.shadow);
  return {
    name: endpoint.name,
    model: endpoint.model,
    state: endpoint.state,
    version: served?.version ?? null,
    tier: served?.tier ?? null,
    runMicros: served?.runMicros ?? null,
  };
}

function describeBatch(job: BatchJob): DemoSummary['batch'] {
  const seconds = job.startedAt === null || job.endedAt === null ? null : (job.endedAt - job.startedAt) / 1000;
  return {
    jobId: job.id,
    state: job.state,
    rows: job.rowsDone,
    rowsFailed: job.rowsFailed,
    rowsPerSecond: job.rowsPerSecond,
    seconds,
    inferenceSeconds: job.inferenceSeconds,
    output: job.output,
  };
}

/** Weeks that are complete: the one that has just begun says nothing yet. */
function weeksOf(drift: DriftReport | undefined, quality: QualityWindow[]): WeekFigures[] {
  return (drift?.windows ?? [])
    .filter((window) => window.complete)
    .map((window) => {
      const cells = (drift?.features ?? [])
        .filter((feature) => !feature.excluded)
        .map((feature) => ({ name: feature.name, cell: feature.cells.find((cell) => cell.windowStart === window.start) }));
      const known = quality.find((q) => q.start === window.start);
      return {
        start: date(window.start),
        flights: window.rows,
        labelled: known?.labelled ?? 0,
        drifted: cells.filter(({ cell }) => cell?.status === 'drift').map(({ name }) => name),
        js: Object.fromEntries(cells.map(({ name, cell }) => [name, cell?.js ?? null])),
        simulatedFault: window.start === FAULT.from,
        ...(known === undefined ? { auc: null, brier: null, accuracy: null, majorityBrier: null, majorityAccuracy: null } : qualityOf(known)),
      };
    });
}
