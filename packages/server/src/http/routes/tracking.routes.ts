import type { runGroupOperations, trackingOperations } from '@binnacle/contract';
import type { RunStatus, TrackingService } from '../../tracking/index.ts';
import type { Handlers } from '../handlers.ts';
import { compareRuns, experimentView, metricView, runDetail, runRow } from './tracking.views.ts';

const FINAL: ReadonlySet<RunStatus> = new Set<RunStatus>(['FINISHED', 'FAILED', 'KILLED']);
const token = (nextPageToken: string | undefined) => (nextPageToken === undefined ? {} : { nextPageToken });
const keyValues = (record: Record<string, string>) => Object.entries(record).map(([key, value]) => ({ key, value }));

/** Experiments, runs and metrics of the native API. */
export function trackingHandlers({ tracking }: { tracking: TrackingService }): Handlers<typeof trackingOperations & typeof runGroupOperations> {
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
        ...(body.tags === undefined ? {} : { tags: keyValues(body.tags) }),
      });
      return detail(params.runId);
    },
    async logBatch({ params, body }) {
      const now = Date.now();
      const metrics = body.metrics.map(({ key, value, step, timestamp }) => ({ key, value: Number(value), step, timestamp: timestamp ?? now }));
      const batch = { metrics, params: keyValues(body.params), tags: keyValues(body.tags) };
      await tracking.logBatch(params.runId, batch);
      return { metrics: metrics.length, params: batch.params.length, tags: batch.tags.length };
    },
    async getSeries({ body }) {
      const series = await tracking.readSeries({
        runIds: body.runIds,
        keys: body.keys,
        maxPoints: body.maxPoints,
        from: body.from ?? null,
        to: body.to ?? null,
      });
      return {
        series: series.map(({ runId, key, total, steps, timestamps, values, mins, maxs, counts }) => ({
          runId,
          key,
          total,
          points: Array.from(steps, (step, i) => ({
            step,
            timestamp: timestamps[i] as number,
            value: values[i] as number,
            min: mins[i] as number,
            max: maxs[i] as number,
            count: counts[i] as number,
          })),
        })),
      };
    },
    async listMetricKeys({ params, query }) {
      const { metrics, nextPageToken } = await tracking.listMetricKeys(params.runId, query);
      return { metrics: metrics.map(metricView), ...token(nextPageToken) };
    },
  };
}
