import type { seriesOperations } from '@binnacle/contract';
import { type ArtifactService, checkArtifactPath, joinArtifactPath, resolveArtifactUri } from '../../artifacts/index.ts';
import { BinnacleError, invalid } from '../../kernel/index.ts';
import type { TrackingService } from '../../tracking/index.ts';
import type { Handlers } from '../handlers.ts';
import { metricView } from './tracking.views.ts';

/** Files of an entry that are looked for side by side. */
const AT_ONCE = 16;
const token = (nextPageToken: string | undefined) => (nextPageToken === undefined ? {} : { nextPageToken });

/** What runs have logged step by step. */
export function seriesHandlers(tracking: TrackingService): Handlers<typeof seriesOperations> {
  return {
    async getSeries({ body }) {
      const series = await tracking.readSeries({
        runIds: body.runIds,
        keys: body.keys,
        maxPoints: body.maxPoints,
        from: body.from ?? null,
        to: body.to ?? null,
      });
      return {
        series: series.map(({ runId, key, total, forkStep, steps, timestamps, values, mins, maxs, counts }) => ({
          runId,
          key,
          total,
          forkStep,
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
    async getMetricHistory({ params, query }) {
      const { steps, timestamps, values, nextPageToken } = await tracking.metricHistory(params.runId, query.key, query.limit, query.pageToken);
      const points = Array.from(steps, (step, i) => ({ step, timestamp: timestamps[i] as number, value: values[i] as number }));
      return { points, ...token(nextPageToken) };
    },
    async listEntryKeys({ params, query }) {
      const { keys, nextPageToken } = await tracking.listEntryKeys(params.runId, query);
      return { keys, ...token(nextPageToken) };
    },
    async getEntries({ params, query }) {
      const { key, kind, from, to, order, limit, pageToken, sample } = query;
      const { total, entries, nextPageToken } = await tracking.getEntries(params.runId, {
        key,
        kind: kind ?? null,
        from: from ?? null,
        to: to ?? null,
        descending: order === 'desc',
        limit,
        pageToken,
        sample: sample === 'true',
      });
      return { total, entries, ...token(nextPageToken) };
    },
  };
}

/** Files of entries with their sizes, the paths in canonical form. `invalid` for one that is not among the run's artifacts. */
export async function sizedFiles<T extends { path: string }>(
  tracking: TrackingService,
  artifacts: ArtifactService,
  runId: string,
  files: readonly T[],
): Promise<(T & { size: number | null })[]> {
  const checked = files.map((file) => ({ ...file, path: checkArtifactPath(file.path) }));
  const root = await ownRoot(tracking, runId);
  if (root === undefined) return checked.map((file) => ({ ...file, size: null }));
  const sizes = new Map<string, number>();
  const paths = [...new Set(checked.map(({ path }) => path))];
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const some = paths.slice(at, at + AT_ONCE);
    const found = await Promise.all(some.map((path) => artifacts.stat(joinArtifactPath(root, path))));
    for (const [i, path] of some.entries()) {
      const entry = found[i];
      if (entry === undefined || entry.isDirectory)
        throw invalid('artifact_not_found', `The run ${runId} has no file ${JSON.stringify(path)}. Upload it first, then log the entry.`);
      sizes.set(path, entry.size ?? 0);
    }
  }
  return checked.map((file) => ({ ...file, size: sizes.get(file.path) ?? null }));
}

/** Undefined where another store than this server's has the run's files. */
async function ownRoot(tracking: TrackingService, runId: string): Promise<string | undefined> {
  const { artifactUri } = await tracking.getRun(runId, { metrics: [], params: [], tags: [] });
  try {
    return await resolveArtifactUri(artifactUri, tracking);
  } catch (error) {
    if (error instanceof BinnacleError && error.code === 'artifact_uri_foreign') return undefined;
    throw error;
  }
}
