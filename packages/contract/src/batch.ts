import { z } from 'zod';
import { Limit, PageToken, Timestamp } from './common.ts';
import { operation } from './operation.ts';

export const BatchState = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']);
export const BatchSpec = z.strictObject({
  model: z.string(),
  version: z.number().int().min(1).optional(),
  alias: z.string().optional(),
  input: z.string().describe('A file, folder or glob on the server: CSV, JSON Lines or Parquet.'),
  inputFormat: z.enum(['auto', 'csv', 'jsonl', 'parquet']).default('auto'),
  output: z.string().describe('The output folder, or with singleFile the file.'),
  outputFormat: z.enum(['auto', 'csv', 'jsonl', 'parquet']).default('auto').describe('auto: by the ending of output, else as the input.'),
  singleFile: z.boolean().default(false),
  resume: z.boolean().default(false).describe('Go on where an earlier job into the same output stopped; refused when model, input or parameters differ.'),
  overwrite: z.boolean().default(false),
  chunkRows: z.number().int().min(1).max(5_000_000).default(100_000),
  runRows: z.number().int().min(1).max(1_000_000).optional().describe('Rows a model run; measured when absent.'),
  workers: z.number().int().min(1).max(64).optional(),
  columns: z.array(z.string()).optional().describe('Input columns passed through to the output; all when absent.'),
  maxErrorRate: z.number().min(0).max(1).default(0).describe('Share of bad rows above which the job fails; bad rows go to the errors file.'),
  monitor: z.boolean().default(true).describe('Feed a sample of each chunk to monitoring.'),
  timestampColumn: z.string().optional().describe('The event time of each row, for monitoring.'),
  where: z.string().max(10000).optional().describe('A SQL condition on the input rows.'),
  select: z.string().max(20000).optional().describe('A SQL select list that makes the feature columns from the input columns; all columns when absent.'),
});
export type BatchSpec = z.infer<typeof BatchSpec>;
export type BatchSpecInput = z.input<typeof BatchSpec>;

export const BatchJob = z.object({
  id: z.string(),
  state: BatchState,
  spec: BatchSpec,
  model: z.string(),
  version: z.number().int(),
  createdAt: Timestamp,
  startedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
  rowsTotal: z.number().int().nullable(),
  rowsDone: z.number().int(),
  rowsFailed: z.number().int(),
  chunksTotal: z.number().int().nullable(),
  chunksDone: z.number().int(),
  rowsPerSecond: z.number().nullable(),
  etaSeconds: z.number().nullable(),
  inferenceSeconds: z.number().describe('Time inside the model runtime, summed over workers.'),
  message: z.string(),
  error: z.string().nullable(),
  output: z.string(),
});
export type BatchJob = z.infer<typeof BatchJob>;

const id = z.object({ jobId: z.string() });
export const batchOperations = {
  listBatchJobs: operation({
    method: 'GET',
    path: '/batch',
    tag: 'batch',
    summary: 'Batch jobs, newest first.',
    query: z.object({ model: z.string().optional(), limit: Limit(100, 1000), pageToken: PageToken.optional() }),
    response: z.object({ jobs: z.array(BatchJob), nextPageToken: PageToken.optional() }),
  }),
  createBatchJob: operation({
    method: 'POST',
    path: '/batch',
    tag: 'batch',
    summary: 'Start a batch prediction; answers at once.',
    body: BatchSpec,
    response: BatchJob,
  }),
  getBatchJob: operation({ method: 'GET', path: '/batch/{jobId}', tag: 'batch', summary: 'One job with its progress.', params: id, response: BatchJob }),
  cancelBatchJob: operation({
    method: 'POST',
    path: '/batch/{jobId}/cancel',
    tag: 'batch',
    summary: 'Stop a job after the model runs in flight; the chunks that are done stay.',
    params: id,
    response: BatchJob,
  }),
  resumeBatchJob: operation({
    method: 'POST',
    path: '/batch/{jobId}/resume',
    tag: 'batch',
    summary: 'Start a failed or cancelled job again where it stopped.',
    params: id,
    response: BatchJob,
  }),
  listBatchFiles: operation({
    method: 'GET',
    path: '/batch/{jobId}/files',
    tag: 'batch',
    summary: 'The files a job has written.',
    params: id,
    response: z.object({
      files: z.array(
        z.object({
          name: z.string(),
          kind: z.enum(['part', 'errors', 'merged', 'marker', 'manifest']),
          rows: z.number().int().nullable(),
          bytes: z.number().int(),
        }),
      ),
    }),
  }),
  getBatchFile: operation({
    method: 'GET',
    path: '/batch/{jobId}/files/content',
    tag: 'batch',
    summary: 'The bytes of one of a job’s files.',
    params: id,
    query: z.object({ name: z.string().min(1) }),
    rawResponse: true,
    response: z.unknown(),
  }),
};
