import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchJob } from '@binnacle/contract';
import { count, progressBar } from '../output.ts';
import { ALIAS, type DemoContext, NAME } from './context.ts';
import { FEATURE_SQL } from './flights.ts';

const outputOf = (context: DemoContext): string => join(context.dataDir, 'demo', 'april-predictions');

/** April's job, done or not; the newest when someone ran it again. */
export async function findApril(context: DemoContext): Promise<BatchJob | undefined> {
  const { jobs } = await context.client.call('listBatchJobs', { query: { model: NAME, limit: 1000 } });
  return jobs.find((job) => job.output === outputOf(context) || job.spec.output === outputOf(context));
}

/** Scores April 2001, half a million flights, with the champion, Parquet to Parquet. A job that was cut off goes on where it stopped. */
export async function scoreApril(context: DemoContext, flights: string): Promise<BatchJob> {
  const { client } = context;
  const bar = progressBar('April in batch');
  let job = await findApril(context);
  const before = job?.state === 'succeeded';
  if (job === undefined) {
    job = await client.call('createBatchJob', {
      body: {
        model: NAME,
        alias: ALIAS,
        input: flights,
        output: outputOf(context),
        outputFormat: 'parquet',
        where: `"date" >= TIMESTAMP '2001-04-01' AND "date" < TIMESTAMP '2001-05-01'`,
        select: FEATURE_SQL,
        timestampColumn: 'date',
      },
    });
  } else if (job.state === 'failed' || job.state === 'cancelled') {
    job = await client.call('resumeBatchJob', { params: { jobId: job.id } });
  }
  while (job.state === 'queued' || job.state === 'running') {
    await sleep(100);
    job = await client.call('getBatchJob', { params: { jobId: job.id } });
    bar.update(
      job.rowsDone,
      job.rowsTotal,
      `${count(job.rowsDone)} rows${job.rowsPerSecond === null ? '' : `, ${count(Math.round(job.rowsPerSecond))} rows/s`}`,
    );
  }
  if (job.state !== 'succeeded') throw new Error(`The batch job over April ${job.state}: ${job.error ?? job.message}`);
  bar.end(`${before ? 'already there: ' : ''}${count(job.rowsDone)} rows, ${count(Math.round(job.rowsPerSecond ?? 0))} rows/s`);
  return job;
}
