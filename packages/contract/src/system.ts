import { z } from 'zod';
import { Timestamp } from './common.ts';
import { operation } from './operation.ts';

export const ServerInfo = z.object({
  name: z.literal('binnacle'),
  version: z.string(),
  dataDir: z.string(),
  url: z.string(),
  startedAt: Timestamp,
  uptimeSeconds: z.number(),
  node: z.string(),
  authentication: z.enum(['none', 'token']),
  counts: z.object({
    experiments: z.number().int(),
    runs: z.number().int(),
    models: z.number().int(),
    endpoints: z.number().int(),
    batchJobs: z.number().int(),
    openAlarms: z.number().int(),
  }),
});
export type ServerInfo = z.infer<typeof ServerInfo>;

export const SearchHit = z.object({
  kind: z.enum(['experiment', 'run', 'model', 'endpoint', 'batch']),
  label: z.string(),
  detail: z.string(),
  href: z.string().describe('Path under /ui.'),
});
export type SearchHit = z.infer<typeof SearchHit>;

export const systemOperations = {
  getInfo: operation({
    method: 'GET',
    path: '/info',
    tag: 'system',
    summary: 'What this server is, where its data lies and how much it holds.',
    response: ServerInfo,
  }),
  searchAll: operation({
    method: 'GET',
    path: '/search',
    tag: 'system',
    summary: 'Find experiments, runs, models, endpoints and batch jobs by a part of their name.',
    query: z.object({ q: z.string().max(500), limit: z.coerce.number().int().min(1).max(100).default(20) }),
    response: z.object({ hits: z.array(SearchHit) }),
  }),
};
