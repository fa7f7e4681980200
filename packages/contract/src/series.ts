import { z } from 'zod';
import { Limit, LooseNumber, PageToken, Timestamp } from './common.ts';
import { operation } from './operation.ts';

/** A step: any number up to ±(2^53 - 1), fractions allowed. */
export const Step = z.number();

export const MetricSummary = z.object({
  key: z.string(),
  value: LooseNumber,
  step: Step,
  timestamp: Timestamp,
  count: z.number().int(),
  min: LooseNumber,
  max: LooseNumber,
  inherited: z.boolean().describe('All of its points come from the run that this one was forked from.'),
});
export type MetricSummary = z.infer<typeof MetricSummary>;

/** A point of a series, or the min/max bucket of several. */
export const SeriesPoint = z.object({
  step: Step,
  timestamp: Timestamp,
  value: LooseNumber.describe('The last value in the bucket.'),
  min: LooseNumber,
  max: LooseNumber,
  count: z.number().int(),
});
export type SeriesPoint = z.infer<typeof SeriesPoint>;
export const Series = z.object({
  runId: z.string(),
  key: z.string(),
  total: z.number().int(),
  forkStep: Step.nullable().describe('Points up to this step come from the run that this one was forked from; null when none do.'),
  points: z.array(SeriesPoint),
});
export type Series = z.infer<typeof Series>;

const at = { step: Step.default(0), timestamp: Timestamp.optional() };
export const MetricPoint = z.object({ key: z.string(), value: LooseNumber, ...at });
/** Bytes of a string of a series (UTF-8). */
export const MAX_SERIES_STRING = 1024 * 1024;
/** Bins of a histogram. */
export const MAX_BINS = 512;
export const Histogram = z.object({
  edges: z.array(z.number()).describe('Ascending; one more than there are counts.'),
  counts: z.array(z.number().min(0)),
});
export type Histogram = z.infer<typeof Histogram>;
export const StringEntry = z.strictObject({ key: z.string(), value: z.string().describe('Up to 1 MiB.'), ...at });
export const HistogramEntry = z.strictObject({ key: z.string(), ...Histogram.shape, ...at });
export const FileSeriesEntry = z.strictObject({ key: z.string(), path: z.string().describe("Of a file that is among the run's artifacts already."), ...at });

export const EntryKind = z.enum(['string', 'histogram', 'file']);
export type EntryKind = z.infer<typeof EntryKind>;
export const EntryKey = z.object({
  key: z.string(),
  kind: EntryKind,
  count: z.number().int(),
  firstStep: Step,
  lastStep: Step,
  lastTimestamp: Timestamp.describe('Of the last entry.'),
  inherited: z.boolean().describe('All of its entries come from the run that this one was forked from.'),
});
export type EntryKey = z.infer<typeof EntryKey>;
export const FileValue = z.object({
  path: z.string(),
  runId: z.string().describe('The run whose artifact it is: another one where the entry is inherited.'),
  size: z.number().int().nullable().describe('Bytes when it was logged; null where another store than this server keeps the files.'),
});
export const SeriesEntry = z.object({
  step: Step,
  timestamp: Timestamp,
  value: z.union([z.string(), Histogram, FileValue]),
  inherited: z.boolean(),
});
export type SeriesEntry = z.infer<typeof SeriesEntry>;

/** Where a run begins: with the points of another run up to a step. */
export const Fork = z.strictObject({ runId: z.string(), step: Step });
export const ForkedRun = z.object({ runId: z.string(), name: z.string(), step: Step });
export type ForkedRun = z.infer<typeof ForkedRun>;

const runId = z.object({ runId: z.string() });
const optionalStep = z.coerce.number().optional();

/** What runs have logged step by step. */
export const seriesOperations = {
  getSeries: operation({
    method: 'POST',
    path: '/runs/series',
    tag: 'tracking',
    summary: 'Metric series of several runs as min/max buckets, never more than maxPoints each, with what a fork inherits.',
    body: z.strictObject({
      runIds: z.array(z.string()).min(1).max(200),
      keys: z.array(z.string()).min(1).max(500),
      maxPoints: z.number().int().min(10).max(20000).default(1000),
      from: Step.optional().describe('First step.'),
      to: Step.optional().describe('Last step.'),
    }),
    response: z.object({ series: z.array(Series) }),
  }),
  listMetricKeys: operation({
    method: 'GET',
    path: '/runs/{runId}/metric-keys',
    tag: 'tracking',
    summary: "A run's metric keys with last values, by name, with what a fork inherits.",
    params: runId,
    query: z.object({ q: z.string().optional(), limit: Limit(1000, 10000), pageToken: PageToken.optional() }),
    response: z.object({ metrics: z.array(MetricSummary), nextPageToken: PageToken.optional() }),
  }),
  getMetricHistory: operation({
    method: 'GET',
    path: '/runs/{runId}/metric-history',
    tag: 'tracking',
    summary: "Every point of a run's own of a metric, by time, a page at a time.",
    params: runId,
    query: z.object({ key: z.string().min(1), limit: Limit(10000, 25000), pageToken: PageToken.optional() }),
    response: z.object({ points: z.array(z.object({ step: Step, timestamp: Timestamp, value: LooseNumber })), nextPageToken: PageToken.optional() }),
  }),
  listEntryKeys: operation({
    method: 'GET',
    path: '/runs/{runId}/entry-keys',
    tag: 'tracking',
    summary: "A run's series of strings, histograms and files, by name, with what a fork inherits.",
    params: runId,
    query: z.object({ kind: EntryKind.optional(), q: z.string().optional(), limit: Limit(1000, 10000), pageToken: PageToken.optional() }),
    response: z.object({ keys: z.array(EntryKey), nextPageToken: PageToken.optional() }),
  }),
  getEntries: operation({
    method: 'GET',
    path: '/runs/{runId}/entries',
    tag: 'tracking',
    summary: 'Entries of a series of strings, histograms or files by step, with what a fork inherits. A page ends early when it gets large.',
    params: runId,
    query: z.object({
      key: z.string().min(1),
      kind: EntryKind.optional().describe('Needed where series of several kinds have this name.'),
      from: optionalStep.describe('First step.'),
      to: optionalStep.describe('Last step.'),
      order: z.enum(['asc', 'desc']).default('asc'),
      limit: Limit(100, 1000),
      pageToken: PageToken.optional(),
      sample: z.enum(['true', 'false']).default('false').describe('At most `limit` entries of the whole range, evenly chosen, first and last kept.'),
    }),
    response: z.object({
      total: z.number().int().describe('Entries in the asked range.'),
      entries: z.array(SeriesEntry),
      nextPageToken: PageToken.optional(),
    }),
  }),
};
