import { z } from 'zod';
import { LooseNumber, PageToken, Timestamp } from './common.ts';
import { operation } from './operation.ts';

/** What runs are grouped by: a param, a tag, or the attribute `status`, `user` or `dataset` (the names of a run's datasets, a line each). */
export const GroupColumn = z.union([
  z.strictObject({ kind: z.enum(['param', 'tag']), key: z.string().min(1).max(250) }),
  z.strictObject({ kind: z.literal('attribute'), key: z.enum(['status', 'user', 'dataset']) }),
]);
export type GroupColumn = z.infer<typeof GroupColumn>;

/** What runs are alike in: a column and its value, null for those that have none. */
export const GroupValue = z.strictObject({ column: GroupColumn, value: z.string().nullable() });
export type GroupValue = z.infer<typeof GroupValue>;

/** Of the finite values only; NaN and infinities count as none. */
export const MetricSpread = z.object({
  count: z.number().int(),
  mean: LooseNumber,
  deviation: LooseNumber.nullable().describe('Sample standard deviation (n − 1); null of a single value.'),
  min: z.number(),
  max: z.number(),
});
export type MetricSpread = z.infer<typeof MetricSpread>;

/** What the runs of a group have in a column: the one value that all of them share, or how many there are. */
export const SharedValue = z.object({ values: z.number().int().describe('Different ones; having none is one of them.'), value: z.string().nullable() });

export const RunGroup = z.object({
  values: z.array(z.string().nullable()).describe('One for each column of `by`.'),
  runs: z.number().int(),
  startedFrom: Timestamp,
  startedTo: Timestamp,
  metrics: z.record(z.string(), MetricSpread).describe('Without the metrics of which no run has a finite value.'),
  params: z.record(z.string(), SharedValue),
  tags: z.record(z.string(), SharedValue),
  attributes: z.record(z.string(), SharedValue),
});
export type RunGroup = z.infer<typeof RunGroup>;

export const runGroupOperations = {
  groupRuns: operation({
    method: 'POST',
    path: '/runs/groups',
    tag: 'tracking',
    summary: 'Groups of the runs that a filter matches, with count, mean and spread of the picked metrics, a page at a time.',
    body: z.strictObject({
      experimentIds: z.array(z.string()).min(1).max(100),
      filter: z.string().max(20000).default(''),
      view: z.enum(['active', 'deleted', 'all']).default('active'),
      by: z.array(GroupColumn).min(1).max(8),
      metrics: z.array(z.string()).max(500).default([]),
      params: z.array(z.string()).max(500).default([]).describe('Params of which the groups say what their runs share.'),
      tags: z.array(z.string()).max(500).default([]),
      attributes: z.array(z.enum(['status', 'user'])).default([]),
      order: z
        .strictObject({
          by: z.enum(['started', 'runs', 'metric', 'value']),
          key: z.string().default('').describe("A metric's name, or which of `by` from 0; else empty."),
          ascending: z.boolean().default(false),
        })
        .default({ by: 'started', key: '', ascending: false })
        .describe('`started`: the newest run of a group; `metric`: the mean, groups without one last.'),
      limit: z.number().int().min(1).max(2000).default(200),
      pageToken: PageToken.optional(),
    }),
    response: z.object({
      groups: z.array(RunGroup),
      total: z.number().int().describe('Groups on all pages.'),
      runs: z.number().int().describe('Runs in all groups.'),
      nextPageToken: PageToken.optional(),
    }),
  }),
};
