import type { monitoringOperations, OperationResponse } from '@binnacle/contract';
import { invalid } from '../kernel/index.ts';
import { type SourceChoice, sourcesOf } from './drift.service.ts';
import { chartBucket, levelFor, windowStart } from './drift/windows.ts';
import type { BucketCounts, MonitoringStore, MonitorRecord } from './monitoring-store.port.ts';
import { LatencyHistogram } from './profile/index.ts';

export interface TimeSeriesQuery {
  from?: number | undefined;
  to?: number | undefined;
  bucketSeconds?: number | undefined;
  source: SourceChoice;
}
type Series = OperationResponse<(typeof monitoringOperations)['getTimeSeries']>;
type Bucket = Series['buckets'][number];

const MAX_BUCKETS = 3000;

/** Counts, errors, latency and mean predictions by bucket of event time, empty buckets included. */
export async function timeSeries(store: MonitoringStore, monitor: MonitorRecord, query: TimeSeriesQuery): Promise<Series> {
  const first = query.from ?? monitor.firstAt ?? monitor.lastReceivedAt;
  const last = query.to ?? Math.max(monitor.lastAt ?? 0, monitor.lastReceivedAt !== null && monitor.firstAt === null ? monitor.lastReceivedAt : 0) + 1;
  if (first === null) return { bucketSeconds: query.bucketSeconds ?? 300, buckets: [] };
  if (last <= first) throw invalid('empty_range', `The range ends (${last}) before it begins (${first}).`);
  const bucketSeconds = query.bucketSeconds ?? chartBucket(last - first);
  if (bucketSeconds % 300 !== 0)
    throw invalid('invalid_bucket', `bucketSeconds is ${bucketSeconds}; counts are kept for five minutes at least, so it must be a multiple of 300.`);
  const bucketMs = bucketSeconds * 1000;
  const from = windowStart(first, bucketMs);
  const to = windowStart(last - 1, bucketMs) + bucketMs;
  if ((to - from) / bucketMs > MAX_BUCKETS)
    throw invalid(
      'range_too_long',
      `The range holds ${(to - from) / bucketMs} buckets of ${bucketSeconds} s; at most ${MAX_BUCKETS} can be asked for. Narrow from and to, or ask for longer buckets.`,
    );
  const rows = await store.counts({
    endpoint: monitor.endpoint,
    model: monitor.model,
    sources: sourcesOf(query.source, undefined),
    level: levelFor(bucketMs),
    from,
    to,
  });
  const groups = new Map<number, BucketCounts[]>();
  for (const row of rows) {
    const start = windowStart(row.start, bucketMs);
    const group = groups.get(start);
    if (group === undefined) groups.set(start, [row]);
    else group.push(row);
  }
  const buckets: Bucket[] = [];
  for (let start = from; start < to; start += bucketMs) buckets.push(fold(start, groups.get(start) ?? []));
  return { bucketSeconds, buckets };
}

function fold(start: number, rows: BucketCounts[]): Bucket {
  const sum = (name: 'requests' | 'predictions' | 'errors' | 'scoreSum' | 'scoreCount' | 'predictionSum' | 'predictionCount'): number =>
    rows.reduce((total, row) => total + row[name], 0);
  const latency = new LatencyHistogram();
  const versions: Record<string, number> = {};
  for (const row of rows) {
    if (row.latency !== null) latency.merge(LatencyHistogram.decode(row.latency));
    if (row.predictions > 0) versions[row.version] = (versions[row.version] ?? 0) + row.predictions;
  }
  const mean = (total: number, count: number): number | null => (count === 0 ? null : total / count);
  return {
    start,
    requests: sum('requests'),
    predictions: sum('predictions'),
    errors: sum('errors'),
    p50Ms: latency.quantile(0.5),
    p95Ms: latency.quantile(0.95),
    p99Ms: latency.quantile(0.99),
    meanScore: mean(sum('scoreSum'), sum('scoreCount')),
    meanPrediction: mean(sum('predictionSum'), sum('predictionCount')),
    versions,
  };
}
