import type { runGroupOperations, trackingOperations } from '@binnacle/contract';
import type { ArtifactService } from '../../artifacts/index.ts';
import type { RunStatus, TrackingService } from '../../tracking/index.ts';
import type { Handlers } from '../handlers.ts';
import { seriesHandlers, sizedFiles } from './series.routes.ts';
import { compareRuns, experimentView, runDetail, runRow } from './tracking.views.ts';

const FINAL: ReadonlySet<RunStatus> = new Set<RunStatus>(['FINISHED', 'FAILED', 'KILLED']);
const token = (nextPageToken: string | undefined) => (nextPageToken === undefined ? {} : { nextPageToken });
const keyValues = (record: Record<string, string>) => Object.entries(record).map(([key, value]) => ({ key, value }));

/** Experiments, runs and metrics of the native API. */
export function trackingHandlers(deps: {
  tracking: TrackingService;
  artifacts: ArtifactService;
}): Handlers<typeof trackingOperations & typeof runGroupOperations> {
  const { tracking, artifacts } = deps;
  const detail = (runId: string) => runDetail(tracking, runId);
  const endTimeOf = (status: RunStatus | undefined, endedAt: number | undefined) =>
    endedAt ?? (status !== undefined && FINAL.has(status) ? Date.now() : undefined);

  return {
    async listExperiments({ query }) {
      const { experiments, nextPageToken } = await tracking.listExperiments(query);
      return { experiments: experiments.map(experimentView), ...token(nextPageToken) };
    },
    async createExperiment({ body }) {
      const { id } = await tracking.createExperiment({ name: body.name, tags: keyValues(body.tags) });
      return experimentView(await tracking.getExperiment(id));
    },
    getExperiment: async ({ params }) => experimentView(await tracking.getExperiment(params.experimentId)),
    listExperimentColumns: ({ params, query }) => tracking.listColumns(params.experimentId, query.q, query.limit),
    async searchRuns({ body }) {
      const { runs, nextPageToken } = await tracking.searchRuns(body);
      return { runs: runs.map(runRow), ...token(nextPageToken) };
    },
    outlineRuns: ({ body }) => tracking.outlineRuns(body),
    async groupRuns({ body }) {
      const { nextPageToken, ...page } = await tracking.groupRuns(body);
      return { ...page, ...token(nextPageToken) };
    },
    compareRuns: async ({ body }) => compareRuns(await tracking.getRuns(body.runIds)),
    async createRun({ body }) {
      const experimentId = body.experimentId ?? (body.experiment === undefined ? '0' : (await tracking.ensureExperiment(body.experiment)).id);
      const run = await tracking.createRun({
        experimentId,
        name: body.name,
        userId: body.user,
        startTime: body.startedAt,
        tags: keyValues(body.tags),
        params: keyValues(body.params),
        runId: body.runId,
        fork: body.fork,
      });
      return detail(run.runId);
    },
    getRun: ({ params }) => detail(params.runId),
    async updateRun({ params, body }) {
      const { name, status, note, lifecycleStage } = body;
      await tracking.updateRun(params.runId, {
        name,
        status,
        endTime: endTimeOf(status, body.endedAt),
        lifecycleStage,
        note,
        fork: body.fork,
        ...(body.tags === undefined ? {} : { tags: keyValues(body.tags) }),
      });
      return detail(params.runId);
    },
    async logBatch({ params, body }) {
      const now = Date.now();
      const metrics = body.metrics.map(({ key, value, step, timestamp }) => ({ key, value: Number(value), step: step + 0, timestamp: timestamp ?? now }));
      const timed = <T extends { timestamp?: number | undefined }>(entries: T[]) => entries.map((entry) => ({ ...entry, timestamp: entry.timestamp ?? now }));
      const [strings, histograms] = [timed(body.strings), timed(body.histograms)];
      const files = body.files.length === 0 ? [] : await sizedFiles(tracking, artifacts, params.runId, timed(body.files));
      const batch = { metrics, params: keyValues(body.params), tags: keyValues(body.tags) };
      await tracking.logBatch(params.runId, { ...batch, entries: { strings, histograms, files } });
      const counts = { strings: strings.length, histograms: histograms.length, files: files.length };
      return { metrics: metrics.length, params: batch.params.length, tags: batch.tags.length, ...counts };
    },
    ...seriesHandlers(tracking),
  };
}
