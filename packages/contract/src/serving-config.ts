import { z } from 'zod';

const micros = z.number().int().min(0).max(3_600_000_000);

/** How requests that wait at one priority are limited (Triton's ModelQueuePolicy). */
export const QueuePolicy = z.strictObject({
  timeoutAction: z
    .enum(['reject', 'delay'])
    .optional()
    .describe('What happens to a request that waited too long: refused, or served after the others of its priority.'),
  defaultTimeoutMicros: micros.optional().describe('Longest wait in the queue; 0: no limit.'),
  allowTimeoutOverride: z.boolean().optional().describe('Whether a request’s own time-out counts where it is shorter; true by default.'),
  maxQueueSize: z.number().int().min(0).max(10_000_000).optional().describe('Waiting requests before new ones are refused; 0: no limit but the endpoint’s.'),
});
export type QueuePolicy = z.infer<typeof QueuePolicy>;

export const Batching = z
  .strictObject({
    enabled: z
      .enum(['auto', 'on', 'off'])
      .optional()
      .describe('auto: where measurements, at warm-up and while serving, show that it gains; on: whenever rows may be merged.'),
    maxRows: z.number().int().min(1).max(65536).optional().describe('Rows of one run (max_batch_size).'),
    preferredRows: z.array(z.number().int().min(1).max(65536)).max(32).optional().describe('Sizes at which a batch leaves before its delay is over.'),
    maxQueueDelayMicros: micros.optional().describe('How long a request may wait for others; 0 by default: none waits on purpose.'),
    preserveOrdering: z.boolean().optional().describe('Replies leave in the order in which the requests came.'),
    priorityLevels: z.number().int().min(0).max(1000).optional().describe('Priorities 1 (first) to this; 0 by default: all requests are alike.'),
    defaultPriority: z.number().int().min(0).max(1000).optional().describe('Of requests that name none; the middle one by default.'),
    defaultQueuePolicy: QueuePolicy.optional(),
    priorityQueuePolicies: z.record(z.string().regex(/^\d+$/), QueuePolicy).optional().describe('By priority level, 1 first.'),
  })
  .refine((b) => b.preserveOrdering !== true || (b.priorityLevels ?? 0) <= 1, {
    message: 'replies cannot keep the order of arrival (preserveOrdering) where priorities change it (priorityLevels)',
  });
export type Batching = z.infer<typeof Batching>;

export const ExecutionProvider = z.strictObject({
  name: z.enum(['cpu', 'cuda', 'tensorrt', 'coreml', 'directml', 'openvino', 'rocm', 'xnnpack', 'webgpu']),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
export type ExecutionProvider = z.infer<typeof ExecutionProvider>;

export const CanaryGuard = z.strictObject({
  errorRate: z.number().min(0).max(1).optional().describe('Roll back when the canary’s share of errors is above the others’ by more than this.'),
  latencyP99: z.number().min(1).optional().describe('Roll back when the canary’s p99 is more than this many times the others’.'),
  driftDistance: z.number().min(0).max(1).optional().describe('Roll back when the Jensen-Shannon distance of its predictions from the others’ is above this.'),
  minRequests: z.number().int().min(1).optional().describe('Requests that the canary must have answered before it is judged; 100 by default.'),
  windowSeconds: z.number().int().min(10).max(1800).optional().describe('How far back the comparison looks; 300 by default.'),
});
export type CanaryGuard = z.infer<typeof CanaryGuard>;

/** How an endpoint runs and guards what it serves. Everything is optional; what is absent is chosen by measurement or by the server's defaults. */
export const EndpointConfig = z.strictObject({
  tier: z.enum(['auto', 'inline', 'worker']).optional(),
  isolation: z.enum(['thread', 'process']).optional().describe('process: a process of its own, with hard time-outs and cancellation.'),
  instances: z.number().int().min(1).max(64).optional(),
  threads: z.number().int().min(1).max(256).optional().describe('Intra-op threads of a session; processors of a Python model’s server.'),
  providers: z.array(ExecutionProvider).max(8).optional().describe('Execution providers, the preferred first; CPU takes what they do not.'),
  memoryLimitMiB: z.number().int().min(16).optional().describe('Of a model in a process of its own or a supervised server.'),
  memoryArena: z.boolean().optional().describe('False: ONNX Runtime gives memory back after each run.'),
  runTimeoutMs: z.number().int().min(1).max(86_400_000).optional().describe('Longest run; enforced where the model is isolated.'),
  batching: Batching.optional(),
  maxQueue: z.number().int().min(1).max(10_000_000).optional().describe('Requests that wait or run before new ones are refused.'),
  maxConcurrency: z.number().int().min(1).max(1_000_000).optional().describe('Requests of this endpoint that run at the same time; others wait.'),
  rateLimit: z
    .strictObject({ requestsPerSecond: z.number().positive(), burst: z.number().int().min(1).optional() })
    .optional()
    .describe('burst: requests at once after a pause; as many as a second by default.'),
  cache: z
    .strictObject({ maxMiB: z.number().min(1).max(65536), ttlSeconds: z.number().positive().optional() })
    .optional()
    .describe('Answers equal inputs from memory.'),
  routing: z
    .strictObject({ by: z.enum(['weight', 'header']), header: z.string().max(100).optional(), cookie: z.string().max(100).optional() })
    .optional()
    .describe('header: requests with the same value of a header (or cookie) get the same version; the weights still hold over all values.'),
  canaryGuard: CanaryGuard.optional(),
  monitoringSample: z.number().min(0).max(1).optional().describe('Share of the requests whose inputs and outputs are looked at; every one is counted.'),
});
export type EndpointConfig = z.infer<typeof EndpointConfig>;
