import { isAbsolute, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchJob } from '@binnacle/contract';
import { type ConnectFlags, connect } from '../connect.ts';
import { ago, count, dim, formatTable, print, printJson, progressBar, say } from '../output.ts';
import { parseModelRef } from '../refs.ts';

interface RunOptions extends ConnectFlags {
  model: string;
  input: string;
  output: string;
  singleFile?: true | undefined;
  resume?: true | undefined;
  overwrite?: true | undefined;
  outputFormat?: string | undefined;
  select?: string | undefined;
  where?: string | undefined;
  columns?: string | undefined;
  chunkRows?: number | undefined;
  workers?: number | undefined;
  maxErrorRate?: number | undefined;
  timestampColumn?: string | undefined;
  monitor: boolean;
  json?: true | undefined;
}

const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(path));

/** Starts a job and follows it; Ctrl-C cancels it, keeping the chunks that are done. Throws when it did not succeed. */
export async function run(options: RunOptions): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const started = await client.call('createBatchJob', {
      body: {
        ...parseModelRef(options.model),
        input: absolute(options.input),
        output: absolute(options.output),
        singleFile: options.singleFile ?? false,
        resume: options.resume ?? false,
        overwrite: options.overwrite ?? false,
        monitor: options.monitor,
        ...(options.outputFormat === undefined ? {} : { outputFormat: options.outputFormat as 'csv' }),
        ...(options.select === undefined ? {} : { select: options.select }),
        ...(options.where === undefined ? {} : { where: options.where }),
        ...(options.columns === undefined ? {} : { columns: options.columns.split(',').map((name) => name.trim()) }),
        ...(options.chunkRows === undefined ? {} : { chunkRows: options.chunkRows }),
        ...(options.workers === undefined ? {} : { workers: options.workers }),
        ...(options.maxErrorRate === undefined ? {} : { maxErrorRate: options.maxErrorRate }),
        ...(options.timestampColumn === undefined ? {} : { timestampColumn: options.timestampColumn }),
      },
    });
    const cancel = () =>
      void client.call('cancelBatchJob', { params: { jobId: started.id } }).then(
        () => say('cancelling; the chunks that are done stay'),
        () => {},
      );
    process.once('SIGINT', cancel);
    const bar = progressBar(`batch ${started.model}/${started.version}`);
    let job: BatchJob = started;
    while (job.state === 'queued' || job.state === 'running') {
      await sleep(200);
      job = await client.call('getBatchJob', { params: { jobId: started.id } });
      bar.update(job.rowsDone, job.rowsTotal, describe(job));
    }
    process.removeListener('SIGINT', cancel);
    if (job.state !== 'succeeded') throw new Error(`Batch job ${job.id} ${job.state}: ${job.error ?? job.message}`);
    bar.end(
      `${count(job.rowsDone)} rows${job.rowsFailed > 0 ? `, ${count(job.rowsFailed)} bad` : ''}, ${count(Math.round(job.rowsPerSecond ?? 0))} rows/s → ${job.output}`,
    );
    if (options.json) printJson(job);
  } finally {
    await close();
  }
}

const describe = (job: BatchJob): string =>
  `${count(job.rowsDone)} rows${job.rowsPerSecond === null ? '' : `, ${count(Math.round(job.rowsPerSecond))}/s`}${job.etaSeconds === null ? '' : `, ${Math.ceil(job.etaSeconds)} s left`}`;

export async function list(options: ConnectFlags & { json?: true | undefined }): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const { jobs } = await client.call('listBatchJobs', { query: { limit: 100 } });
    if (options.json) return printJson(jobs);
    if (jobs.length === 0) return print(dim('No batch jobs. Start one: npx binnacle batch run --model my-model@champion --input in.parquet --output out/'));
    print(
      formatTable(jobs, [
        { title: 'JOB', value: (j) => j.id },
        { title: 'MODEL', value: (j) => `${j.model}/${j.version}` },
        { title: 'STATE', value: (j) => j.state },
        { title: 'ROWS', align: 'right', value: (j) => count(j.rowsDone) },
        { title: 'BAD', align: 'right', value: (j) => count(j.rowsFailed) },
        { title: 'ROWS/S', align: 'right', value: (j) => (j.rowsPerSecond === null ? '' : count(Math.round(j.rowsPerSecond))) },
        { title: 'STARTED', value: (j) => ago(j.startedAt) },
        { title: 'OUTPUT', value: (j) => j.output },
      ]),
    );
  } finally {
    await close();
  }
}

export async function show(jobId: string, options: ConnectFlags & { json?: true | undefined }): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const job = await client.call('getBatchJob', { params: { jobId } });
    if (options.json) return printJson(job);
    print(`${job.model}/${job.version}  ${job.state}  ${describe(job)}`);
    if (job.error !== null) print(job.error);
    const { files } = await client.call('listBatchFiles', { params: { jobId } });
    print(
      formatTable(files, [
        { title: 'FILE', value: (f) => f.name },
        { title: 'KIND', value: (f) => f.kind },
        { title: 'ROWS', align: 'right', value: (f) => (f.rows === null ? '' : count(f.rows)) },
        { title: 'BYTES', align: 'right', value: (f) => count(f.bytes) },
      ]),
    );
  } finally {
    await close();
  }
}
