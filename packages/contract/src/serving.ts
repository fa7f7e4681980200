import { z } from 'zod';
import { Limit, Signature, TensorSpec, Timestamp } from './common.ts';
import { operation } from './operation.ts';
import { EndpointConfig } from './serving-config.ts';

export const TrafficTarget = z
  .strictObject({
    alias: z.string().optional(),
    version: z.number().int().min(1).optional(),
    weight: z.number().min(0).max(100).default(100).describe('Percent of the requests; the weights of the targets that are not shadows add up to 100.'),
    shadow: z.boolean().default(false).describe('Gets a copy after the reply; its answer is only monitored.'),
  })
  .refine((t) => (t.alias === undefined) !== (t.version === undefined), { message: 'give exactly one of alias and version' });
export type TrafficTarget = z.infer<typeof TrafficTarget>;

export const ServedVersion = z.object({
  version: z.number().int(),
  state: z.enum(['loading', 'ready', 'failed', 'draining']),
  error: z.string().nullable(),
  weight: z.number(),
  shadow: z.boolean(),
  aliases: z.array(z.string()),
  canary: z
    .object({ state: z.enum(['waiting', 'good', 'bad']), text: z.string() })
    .nullable()
    .describe('What the guard of the endpoint says of it.'),
  tier: z.enum(['inline', 'worker', 'process', 'remote', 'ensemble']).nullable().describe('Where it runs.'),
  memoryBytes: z.number().nullable().describe('What the model takes, where that can be told.'),
  runMicros: z.number().nullable().describe('Measured time of one run at warm-up, in microseconds.'),
  loadedAt: Timestamp.nullable(),
  queue: z
    .object({
      waiting: z.number().int().describe('Requests that wait now.'),
      running: z.number().int().describe('Requests under way now.'),
      merging: z.boolean().describe('Whether requests are run together now.'),
      why: z.string().describe('Why they are, or are not.'),
    })
    .nullable(),
});
export type ServedVersion = z.infer<typeof ServedVersion>;

export const LatencyStats = z.object({
  windowSeconds: z.number(),
  requests: z.number().int(),
  instances: z.number().int(),
  errors: z.number().int(),
  requestsPerSecond: z.number(),
  meanMs: z.number().nullable(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
});
export type LatencyStats = z.infer<typeof LatencyStats>;

export const Endpoint = z.object({
  name: z.string(),
  model: z.string(),
  description: z.string(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  revision: z.number().int(),
  state: z
    .enum(['ready', 'loading', 'failed', 'degraded', 'unloaded'])
    .describe(
      'degraded: a desired version could not be loaded and the old one serves on, or the server of a Python model has ended and is being started again; unloaded: by request.',
    ),
  message: z.string(),
  traffic: z.array(TrafficTarget),
  config: EndpointConfig,
  source: z.enum(['registry', 'repository']).describe('repository: from a model repository folder; changed there, not here.'),
  versions: z.array(ServedVersion),
  stats: LatencyStats,
});
export type Endpoint = z.infer<typeof Endpoint>;

export const EndpointDetail = Endpoint.extend({
  signature: Signature.nullable(),
  tensors: z.object({ inputs: z.array(TensorSpec), outputs: z.array(TensorSpec) }).nullable(),
  labels: z
    .record(z.string(), z.array(z.string()))
    .describe('Names of the classes of its outputs, in order, where the model has some; of 1000 classes at most.'),
  sample: z
    .object({
      invocations: z.unknown().describe('A body for POST /endpoints/{name}/invocations that works.'),
      openInference: z.unknown().describe('A body for POST /v2/models/{name}/infer that works.'),
    })
    .nullable(),
  logged: z.array(z.number().int()).describe('Versions whose server Binnacle started, and which so have a log.'),
});
export type EndpointDetail = z.infer<typeof EndpointDetail>;

export const EndpointChange = z.object({
  revision: z.number().int(),
  kind: z.enum(['deployed', 'rolled_back', 'loaded', 'unloaded']),
  reason: z.string(),
  traffic: z.array(TrafficTarget),
  at: Timestamp,
});
export type EndpointChange = z.infer<typeof EndpointChange>;

const CountByCode = z.record(z.string(), z.number().int());
const name = z.object({ endpoint: z.string() });
export const servingOperations = {
  listEndpoints: operation({
    method: 'GET',
    path: '/endpoints',
    tag: 'serving',
    summary: 'Endpoints with their state and live statistics.',
    response: z.object({ endpoints: z.array(Endpoint) }),
  }),
  deployEndpoint: operation({
    method: 'PUT',
    path: '/endpoints/{endpoint}',
    tag: 'serving',
    summary: 'Create an endpoint or change its traffic; answers once the versions are loaded, or says why they are not.',
    params: name,
    body: z.strictObject({
      model: z.string(),
      traffic: z.array(TrafficTarget).min(1).max(20),
      description: z.string().max(5000).optional(),
      config: EndpointConfig.optional().describe('Replaces the configuration; absent: it stays.'),
    }),
    response: EndpointDetail,
  }),
  getEndpoint: operation({
    method: 'GET',
    path: '/endpoints/{endpoint}',
    tag: 'serving',
    summary: 'One endpoint, with a sample request.',
    params: name,
    response: EndpointDetail,
  }),
  deleteEndpoint: operation({
    method: 'DELETE',
    path: '/endpoints/{endpoint}',
    tag: 'serving',
    summary: 'Stop serving.',
    params: name,
    response: z.object({}),
  }),
  loadEndpoint: operation({
    method: 'POST',
    path: '/endpoints/{endpoint}/load',
    tag: 'serving',
    summary: 'Load what was unloaded, or try again what failed; answers once it is loaded.',
    params: name,
    response: EndpointDetail,
  }),
  unloadEndpoint: operation({
    method: 'POST',
    path: '/endpoints/{endpoint}/unload',
    tag: 'serving',
    summary: 'Free the memory and answer no more requests until it is loaded again; also after a restart.',
    params: name,
    response: EndpointDetail,
  }),
  warmEndpoint: operation({
    method: 'POST',
    path: '/endpoints/{endpoint}/warm',
    tag: 'serving',
    summary: 'Run the sample of each served version once, so that the next request meets warm caches.',
    params: name,
    response: z.object({
      versions: z.array(z.object({ version: z.number().int(), millis: z.number().nullable().describe('Null where the version has no sample.') })),
    }),
  }),
  listEndpointChanges: operation({
    method: 'GET',
    path: '/endpoints/{endpoint}/changes',
    tag: 'serving',
    summary: 'What the endpoint served since when, and why it changed, newest first; the last 200 changes are kept.',
    params: name,
    query: z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) }),
    response: z.object({ changes: z.array(EndpointChange) }),
  }),
  rollBackEndpoint: operation({
    method: 'POST',
    path: '/endpoints/{endpoint}/rollback',
    tag: 'serving',
    summary: 'Serve again what an earlier revision served; by default the newest whose traffic was another.',
    params: name,
    body: z.strictObject({ revision: z.number().int().min(1).optional(), reason: z.string().max(1000).optional() }),
    response: EndpointDetail,
  }),
  getEndpointLogs: operation({
    method: 'GET',
    path: '/endpoints/{endpoint}/logs',
    tag: 'serving',
    summary: 'What the server of a Python model said: the last lines, or those that came after an earlier answer.',
    params: name,
    query: z.object({
      version: z.coerce
        .number()
        .int()
        .min(1)
        .optional()
        .describe('By default one that is being loaded or has failed, else the one that gets the most requests.'),
      limit: Limit(200, 2000),
      after: z.string().max(100).optional().describe('`next` of an earlier answer: follow the log by asking again and again.'),
    }),
    response: z.object({
      version: z.number().int(),
      lines: z.array(
        z.object({ at: Timestamp, source: z.enum(['stdout', 'stderr', 'binnacle']).describe('binnacle: said about it, not by it.'), text: z.string() }),
      ),
      next: z.string(),
    }),
  }),
  getEndpointStats: operation({
    method: 'GET',
    path: '/endpoints/{endpoint}/stats',
    tag: 'serving',
    summary: 'Live throughput and latency since the start, in 10-second buckets for the last half hour; sizes of runs, refusals, the cache.',
    params: name,
    response: z.object({
      total: LatencyStats,
      buckets: z.array(
        z.object({
          start: Timestamp,
          requests: z.number().int(),
          instances: z.number().int(),
          errors: z.number().int(),
          p50Ms: z.number().nullable(),
          p95Ms: z.number().nullable(),
          p99Ms: z.number().nullable(),
        }),
      ),
      failures: CountByCode.describe('Requests that got an error since the start, by its code: queue_full, queue_timeout, cancelled, rate_limited …'),
      shadowsDropped: z.number().int(),
      cache: z.object({ entries: z.number().int(), bytes: z.number() }).nullable(),
      byVersion: z.array(
        z.object({
          version: z.number().int(),
          shadow: z.boolean(),
          stats: LatencyStats,
          failures: CountByCode,
          cacheHits: z.number().int(),
          cacheMisses: z.number().int(),
          queueMicros: z.number().nullable().describe('Mean wait of a request in the queue.'),
          batches: z
            .array(z.object({ rows: z.number().int(), runs: z.number().int(), meanMicros: z.number() }))
            .describe('Runs by their number of rows, ascending; meanMicros is a run’s time in the model.'),
        }),
      ),
    }),
  }),
};
