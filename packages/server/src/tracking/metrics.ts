import { invalid, looseNumber } from '../kernel/index.ts';
import { isName, keyToToken, tokenToKey } from './search.ts';
import type { TrackingStore } from './tracking.port.ts';
import type { Points } from './types.ts';

export function metricUseCases(store: TrackingStore) {
  return {
    async metricHistory(runId: string, key: string, limit: number | null, pageToken?: string): Promise<Points & { nextPageToken: string | undefined }> {
      const after = tokenToKey(pageToken);
      if (
        after !== undefined &&
        (after.length !== 3 ||
          !Number.isSafeInteger(after[0]) ||
          after.some((part) => typeof part !== 'number' && part !== 'NaN' && part !== 'Infinity' && part !== '-Infinity'))
      )
        throw invalid('invalid_page_token', 'Invalid page token: it belongs to another search. Start again without one.');
      const { more, ...points } = await store.metricHistory(runId, key, limit, after === undefined ? null : (after.map(Number) as [number, number, number]));
      const last = points.steps.length - 1;
      const value = points.values[last] as number;
      // JSON has no NaN; as text it survives the token.
      const next = more && last >= 0 ? [points.timestamps[last], points.steps[last], looseNumber(value)] : undefined;
      return { ...points, nextPageToken: keyToToken(next) };
    },
    sampleMetric: (runId: string, key: string, limit: number, range: { from: number; to: number } | null): Promise<Points> =>
      store.sampleMetric(runId, key, limit, range),
    readSeries: (request: { runIds: string[]; keys: string[]; maxPoints: number; from: number | null; to: number | null }) => store.readSeries(request),
    async listMetricKeys(runId: string, query: { q?: string | undefined; limit: number; pageToken?: string | undefined }) {
      const [after] = tokenToKey(query.pageToken) ?? [];
      if (after !== undefined && !isName(after))
        throw invalid('invalid_page_token', 'Invalid page token: it belongs to another search. Start again without one.');
      const { metrics, more } = await store.listMetricKeys(runId, { q: query.q ?? null, limit: query.limit, after: after ?? null });
      return { metrics, nextPageToken: more ? keyToToken([metrics[metrics.length - 1]?.key]) : undefined };
    },
    countMetricKeys: (runId: string): Promise<number> => store.countMetricKeys(runId),
  };
}
