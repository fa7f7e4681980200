import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '@binnacle/sdk';
import { ALL } from './lib/cores.ts';
import { models, push } from './lib/models.ts';
import { FLIGHTS, PYTHON, script } from './lib/paths.ts';
import { memory, type MemorySample, sampleMemory, start } from './lib/process.ts';
import { startBinnacle, type Server } from './lib/servers.ts';
import { figure, lateSlope, median, MIB } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';

const CHUNK = 100_000;
/** What bench/python/flight_features.py does, in SQL. */
const FEATURES = [
  'distance::FLOAT AS distance',
  'hour(date)::FLOAT AS hour',
  'minute(date)::FLOAT AS minute',
  'isodow(date)::FLOAT AS weekday',
  'day(date)::FLOAT AS day',
  'month(date)::FLOAT AS month',
  'sin((hour(date) * 60 + minute(date)) * (2 * pi() / 1440))::FLOAT AS angle_sin',
  'cos((hour(date) * 60 + minute(date)) * (2 * pi() / 1440))::FLOAT AS angle_cos',
].join(', ');

interface Job {
  rows: number;
  /** Wall time from asking to done, seconds. */
  total: number;
  /** Inside ONNX Runtime, one session with one thread. */
  inference: number;
  outside: number;
  peakRss: number;
  samples: MemorySample[];
  detail?: unknown;
}

async function binnacleJob(server: Server, client: Client, model: string, input: string, output: string, extra: Record<string, unknown> = {}): Promise<Job> {
  const stopSampling = sampleMemory(server);
  const begun = performance.now();
  const { id } = await client.call('createBatchJob', {
    body: {
      model,
      alias: 'champion',
      input,
      inputFormat: 'parquet',
      output,
      outputFormat: 'parquet',
      chunkRows: CHUNK,
      workers: 1,
      select: FEATURES,
      ...extra,
    },
  });
  let job = await client.call('getBatchJob', { params: { jobId: id } });
  while (job.state === 'queued' || job.state === 'running') {
    await sleep(10);
    job = await client.call('getBatchJob', { params: { jobId: id } });
  }
  const total = (performance.now() - begun) / 1000;
  const samples = stopSampling();
  if (job.state !== 'succeeded') throw new Error(`the batch job ${job.state}: ${job.error ?? job.message}`);
  return {
    rows: job.rowsDone,
    total,
    inference: job.inferenceSeconds,
    outside: total - job.inferenceSeconds,
    peakRss: Math.max(...samples.map((s) => s.y)),
    samples,
    detail: { startedAt: job.startedAt, endedAt: job.endedAt, createdAt: job.createdAt },
  };
}

interface PandasTimes {
  rows: number;
  totalSeconds: number;
  inferenceSeconds: number;
  startSeconds: number;
  positive: number;
  meanProbability: number;
}

async function pandasJob(model: string, output: string, rows: number, scratch: string): Promise<Job & { process: number; times: PandasTimes }> {
  const log = join(scratch, 'pandas.log');
  const running = start(PYTHON, ['-W', 'ignore', script('batch_pandas.py'), model, FLIGHTS, output, String(CHUNK), String(rows)], { cores: ALL, logFile: log });
  const stopSampling = sampleMemory(running, 50);
  const code = await running.exited;
  const process = (performance.now() - running.startedAt) / 1000;
  const samples = stopSampling();
  const text = readFileSync(log, 'utf8');
  if (code !== 0) throw new Error(`batch_pandas.py failed:\n${text}`);
  const times = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as PandasTimes;
  return {
    rows: times.rows,
    total: times.totalSeconds,
    inference: times.inferenceSeconds,
    outside: times.totalSeconds - times.inferenceSeconds,
    peakRss: Math.max(...samples.map((s) => s.y)),
    samples,
    process,
    times,
  };
}

const middle = <T extends Job>(jobs: T[]): T => [...jobs].sort((a, b) => a.total - b.total)[Math.floor((jobs.length - 1) / 2)] as T;

/** The predictions must agree: the mean probability and the count of positive labels, by DuckDB over the parts. */
async function check(output: string, expected: PandasTimes): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const result = await connection.runAndReadAll(
    `select count(*)::DOUBLE, sum((label = 1)::INT)::DOUBLE, avg(probabilities_1) from read_parquet('${output}/**/*.parquet')`,
  );
  const [rows, positive, mean] = (result.getRows()[0] ?? []).map(Number);
  connection.closeSync();
  if (rows !== expected.rows || Math.abs((positive ?? 0) - expected.positive) > expected.rows * 1e-5 || Math.abs((mean ?? 0) - expected.meanProbability) > 1e-5)
    throw new Error(
      `Binnacle's output has ${rows} rows, ${positive} positive, mean ${mean}; pandas' has ${expected.rows}, ${expected.positive}, ${expected.meanProbability}`,
    );
}

async function run(context: Context) {
  const { quick, scratch, say } = context;
  const dir = await models(context);
  const repeats = quick ? 1 : 3;
  const rows = quick ? 300_000 : 0;
  const where = quick ? { where: "date < '2001-01-20'" } : {};
  const many = join(scratch, 'many');
  mkdirSync(many);
  for (let i = 0; i < 4; i++) copyFileSync(FLIGHTS, join(many, `flights-${i}.parquet`));

  const results: { model: string; ours: Job; theirs: Job & { process: number; times: PandasTimes }; all: Job[] }[] = [];
  const server = await startBinnacle({ dir: join(scratch, 'binnacle'), cores: ALL, args: ['--batch-root', scratch, '--batch-root', join(FLIGHTS, '..')] });
  let growth: { small: number; large: number; slope: number; rows: number; before: number } | undefined;
  try {
    const client = createClient({ baseUrl: server.url });
    const before = memory(server).rss;
    for (const [model, title] of [
      ['linear', 'linear'],
      ['trees', '100 trees'],
    ] as const) {
      await push(server.url, model, join(dir, `${model}.onnx`));
      say(`${title}: Binnacle …`);
      const ours: Job[] = [];
      for (let i = 0; i < repeats; i++) ours.push(await binnacleJob(server, client, model, FLIGHTS, join(scratch, `ours-${model}-${i}`), where));
      say(`${title}: pandas …`);
      const theirs = [];
      for (let i = 0; i < repeats; i++) theirs.push(await pandasJob(join(dir, `${model}.onnx`), join(scratch, 'pandas.parquet'), rows, scratch));
      const mine = middle(ours);
      const other = middle(theirs);
      if (!quick) await check(join(scratch, `ours-${model}-0`), other.times);
      results.push({ model: title, ours: mine, theirs: other, all: [...ours, ...theirs] });
      for (let i = 0; i < repeats; i++) rmSync(join(scratch, `ours-${model}-${i}`), { recursive: true });
    }
    if (!quick) {
      say('linear, four times the rows, for memory …');
      const small = results[0]?.ours.peakRss ?? 0;
      const job = await binnacleJob(server, client, 'linear', join(many, '*.parquet'), join(scratch, 'ours-many'));
      growth = { small, large: job.peakRss, slope: lateSlope(job.samples), rows: job.rows, before };
    }
  } finally {
    await server.stop();
  }

  const line = (name: string, job: Job, model: string, share: string) => [
    model,
    name,
    figure(job.rows),
    figure(job.total),
    figure(job.inference),
    figure(job.outside),
    figure(job.rows / job.total),
    figure(job.peakRss / MIB),
    share,
  ];
  return {
    about:
      'Batch prediction from Parquet to Parquet over the 3,000,000 flights of `flights-3m.parquet`: eight features made from the columns, all input columns passed through, the label and both probabilities added.',
    settings: [
      `Chunks of ${figure(CHUNK)} rows, one ONNX Runtime session with one thread on both sides; reading and writing as each likes, both cores for both. Median of ${repeats} by the whole time.`,
      'Binnacle: a job through the API of a running server, `workers` 1, features by `select` (SQL), output as parts with `_SUCCESS`, fsynced; monitoring on. Whole: from the request to the job seen done.',
      'pandas: `bench/python/batch_pandas.py`, `read_parquet`, `session.run` a chunk, `to_parquet`. Whole: without the start of Python and its imports.',
      'Outside: the whole less the time inside `session.run`. Both outputs are compared: rows, positive labels, mean probability.',
    ],
    tables: [
      {
        header: ['Model', 'Side', 'Rows', 'Whole s', 'Inside ORT s', 'Outside s', 'Rows/s', 'Peak RSS MiB', 'Outside, to pandas'],
        rows: results.flatMap(({ model, ours, theirs }) => [
          line('Binnacle', ours, model, figure(ours.outside / theirs.outside)),
          line('pandas + onnxruntime', theirs, model, '1'),
        ]),
      },
    ],
    aims: [
      ...results.flatMap(({ model, ours, theirs }) => [
        { what: `time outside ONNX Runtime, ${model}, to pandas`, measured: ours.outside / theirs.outside, better: 'lower' as const, bound: 1 / 3, unit: '×' },
        { what: `the whole, ${model}, to pandas`, measured: ours.total / theirs.total, better: 'lower' as const, bound: 1, unit: '×' },
      ]),
      ...(growth === undefined
        ? []
        : [
            {
              what: 'flat memory: peak RSS with 4 times the rows, to once',
              measured: growth.large / growth.small,
              better: 'lower' as const,
              bound: 1.25,
              unit: '×',
            },
          ]),
    ],
    notes: [
      ...(growth === undefined
        ? []
        : [
            `Binnacle's RSS: ${figure(growth.before / MIB)} MiB before the first job, ${figure(growth.small / MIB)} MiB at most over 3,000,000 rows, ${figure(growth.large / MIB)} MiB over ${figure(growth.rows)}; in the second half of that job it changed by ${figure(growth.slope / MIB)} MiB/s.`,
          ]),
      ...results.map(({ model, theirs }) => `pandas, ${model}: ${figure(theirs.process)} s with Python's start and imports.`),
    ],
    raw: {
      results,
      growth,
      medianOutside: results.map((r) => ({
        model: r.model,
        ours: median(r.all.slice(0, repeats).map((j) => j.outside)),
        theirs: median(r.all.slice(repeats).map((j) => j.outside)),
      })),
    },
  };
}

export const batch: Benchmark = { name: 'batch', title: 'Batch prediction', run };
