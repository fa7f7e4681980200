import type { batchOperations } from '@binnacle/contract';
import type { BatchService } from '../../batch/index.ts';
import { disposition } from '../disposition.ts';
import { type Handlers, RawReply } from '../handlers.ts';

const TYPES: Record<string, string> = {
  csv: 'text/csv; charset=utf-8',
  jsonl: 'application/x-ndjson',
  json: 'application/json',
  parquet: 'application/vnd.apache.parquet',
};

/** The native API of batch jobs. */
export const batchHandlers = ({ batch }: { batch: BatchService }): Handlers<typeof batchOperations> => ({
  listBatchJobs: async ({ query }) => {
    const { items, nextPageToken } = await batch.list(query);
    return { jobs: items, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
  },
  createBatchJob: async ({ body }) => batch.create(body),
  getBatchJob: async ({ params }) => batch.get(params.jobId),
  cancelBatchJob: async ({ params }) => batch.cancel(params.jobId),
  resumeBatchJob: async ({ params }) => batch.resume(params.jobId),
  listBatchFiles: async ({ params }) => ({ files: await batch.files(params.jobId) }),
  getBatchFile: async ({ params, query }) => {
    const { stream, bytes, name } = await batch.openFile(params.jobId, query.name);
    return new RawReply(stream, {
      'content-type': TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
      'content-length': String(bytes),
      'content-disposition': disposition(name),
      'x-content-type-options': 'nosniff',
    });
  },
});
