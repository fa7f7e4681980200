import { join } from 'node:path';
import { createClient } from '@binnacle/sdk';
import { Connection, withClients } from './lib/http.ts';
import { memory } from './lib/process.ts';
import { binnacleData, experimentId, mlflowData } from './lib/search-data.ts';
import { type Server, startBinnacle, startMlflow } from './lib/servers.ts';
import { figure, MIB, ratio, type Summary, summarise } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';

const API = '/api/2.0/mlflow';
const T0 = 1_700_000_000_000;
const FILTER = { filter: 'metrics.m03 > 0.5', order_by: ['metrics.m07 DESC'] };

async function post(connection: Connection, path: string, body: unknown): Promise<number> {
  const reply = await connection.send('POST', `${API}/${path}`, typeof body === 'string' ? body : JSON.stringify(body));
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.body.toString('utf8', 0, 300)}`);
  return reply.ms;
}

async function newRun(connection: Connection, experiment = '0'): Promise<string> {
  const { run } = await connection.json<{ run: { info: { run_id: string } } }>('POST', `${API}/runs/create`, { experiment_id: experiment, start_time: T0 });
  return run.info.run_id;
}

interface Writes {
  create: Summary;
  tag: Summary;
  param: Summary;
  /** Points a second. */
  single: number;
  batches: { points: number; clients: number; perSecond: number }[];
  /** Requests under load that got an error. */
  failed: number;
}

/** `scale` 1 for Binnacle; MLflow gets a part of the requests, which take it as long. What fails under load is counted, and its points are not. */
async function writes(server: Server, scale: number): Promise<Writes> {
  const n = (many: number) => Math.max(8, Math.round(many * scale));
  const connection = new Connection(server.url);
  const each = async (count: number, one: (i: number) => Promise<number>): Promise<Summary> => {
    await one(-1);
    const times: number[] = [];
    for (let i = 0; i < count; i++) times.push(await one(i));
    return summarise(times);
  };
  const create = await each(n(1000), (i) => post(connection, 'runs/create', { experiment_id: '0', start_time: T0, run_name: `r${i}` }));
  const run = await newRun(connection);
  const tag = await each(n(1000), (i) => post(connection, 'runs/set-tag', { run_id: run, key: `t${i}`, value: 'v' }));
  const param = await each(n(1000), (i) => post(connection, 'runs/log-parameter', { run_id: run, key: `p${i}`, value: 'v' }));
  let failed = 0;
  const flood = async (clients: number, requests: number, path: string, body: (run: string, i: number) => unknown): Promise<number> => {
    const runs = await Promise.all(Array.from({ length: clients }, () => newRun(connection)));
    const mine = Math.max(1, Math.round(requests / clients));
    const bodies = runs.map((id) => Array.from({ length: mine }, (_, i) => JSON.stringify(body(id, i))));
    let done = 0;
    const begun = performance.now();
    await withClients(server.url, clients, async (own, client) => {
      for (const text of bodies[client] ?? [])
        await post(own, path, text).then(
          () => done++,
          () => failed++,
        );
    });
    return done / ((performance.now() - begun) / 1000);
  };
  const point = (key: number, step: number) => ({ key: `m${key}`, value: Math.sin(step * 0.01 + key), timestamp: T0 + step, step });
  const single = await flood(32, n(16_000), 'runs/log-metric', (id, i) => ({ run_id: id, ...point(0, i) }));
  const batches = [];
  for (const [points, clients, requests] of [
    [10, 1, 3000],
    [10, 32, 16_000],
    [1000, 32, 1600],
  ] as const) {
    const keys = Math.min(20, points);
    const body = (id: string, i: number) => ({
      run_id: id,
      metrics: Array.from({ length: points }, (_, k) => point(k % keys, (i * points) / keys + Math.floor(k / keys))),
    });
    batches.push({ points, clients, perSecond: points * (await flood(clients, n(requests), 'runs/log-batch', body)) });
  }
  connection.close();
  return { create, tag, param, single, batches, failed };
}

/** What each asks of `runs/search`; MLflow's page token is an offset, so the hundredth page needs no ninety-nine others there. */
const PAGES = [
  { name: 'first page of 100', size: 100, page: 1 },
  { name: 'hundredth page of 100', size: 100, page: 100 },
  { name: "the client's default page of 1000", size: 1000, page: 1 },
] as const;

async function searches(server: Server, repeats: number, offsets: boolean): Promise<Summary[]> {
  const connection = new Connection(server.url);
  const experiment = await experimentId(connection);
  const out: Summary[] = [];
  for (const { size, page } of PAGES) {
    const ask = { experiment_ids: [experiment], ...FILTER, max_results: size };
    let token = offsets && page > 1 ? Buffer.from(JSON.stringify({ offset: (page - 1) * size })).toString('base64') : undefined;
    const steps = offsets ? 0 : page - 1;
    for (let step = 0; step < steps; step++)
      token = (await connection.json<{ next_page_token?: string }>('POST', `${API}/runs/search`, { ...ask, page_token: token })).next_page_token;
    const body = JSON.stringify({ ...ask, page_token: token });
    const times: number[] = [];
    for (let i = -2; i < repeats; i++) {
      const ms = await post(connection, 'runs/search', body);
      if (i >= 0) times.push(ms);
    }
    out.push(summarise(times));
  }
  connection.close();
  return out;
}

/** A series of `points` read as 1,000 min/max buckets, and a run with `keys` metrics opened and searched: milliseconds. */
async function large(server: Server, points: number, keys: number): Promise<{ series: Summary; open: Summary; pick: Summary }> {
  const client = createClient({ baseUrl: server.url });
  const connection = new Connection(server.url);
  const [long, wide] = [await newRun(connection), await newRun(connection)];
  for (let from = 0; from < points; from += 1000)
    await post(connection, 'runs/log-batch', {
      run_id: long,
      metrics: Array.from({ length: 1000 }, (_, i) => ({ key: 'loss', value: Math.sin((from + i) * 1e-4), timestamp: T0 + from + i, step: from + i })),
    });
  for (let from = 0; from < keys; from += 1000)
    await post(connection, 'runs/log-batch', {
      run_id: wide,
      metrics: Array.from({ length: 1000 }, (_, i) => ({ key: `layer/${from + i}/norm`, value: i, timestamp: T0, step: 0 })),
    });
  connection.close();
  const timed = async (ask: () => Promise<unknown>): Promise<Summary> => {
    const times: number[] = [];
    for (let i = 0; i < 22; i++) {
      const begun = performance.now();
      await ask();
      if (i >= 2) times.push(performance.now() - begun);
    }
    return summarise(times);
  };
  return {
    series: await timed(() => client.call('getSeries', { body: { runIds: [long], keys: ['loss'], maxPoints: 1000 } })),
    open: await timed(async () => {
      await client.call('getRun', { params: { runId: wide } });
      await client.call('listMetricKeys', { params: { runId: wide }, query: { limit: 1000 } });
    }),
    pick: await timed(() => client.call('listMetricKeys', { params: { runId: wide }, query: { q: `layer/${keys - 7}/`, limit: 1000 } })),
  };
}

async function run(context: Context) {
  const { quick, scratch, say } = context;
  const size = { runs: quick ? 2000 : 100_000, metrics: 20, params: 20 };
  const small = { ...size, runs: size.runs / 10 };
  const [dir, smallDir] = [await binnacleData(context, size), await binnacleData(context, small)];
  const mlflowDir = await mlflowData(context, size);

  say('Binnacle, a tenth of the runs …');
  const few = await startBinnacle({ dir: smallDir });
  const fewSearches = await searches(few, quick ? 10 : 100, false).finally(() => few.stop());
  say('Binnacle …');
  const fresh = await startBinnacle({ dir: join(scratch, 'fresh') });
  const ours = await writes(fresh, quick ? 0.05 : 1).finally(() => fresh.stop());
  const server = await startBinnacle({ dir });
  let oursSearches: Summary[];
  let big: Awaited<ReturnType<typeof large>>;
  let grown: Writes;
  let rss: number;
  try {
    oursSearches = await searches(server, quick ? 10 : 100, false);
    big = await large(server, quick ? 20_000 : 1_000_000, quick ? 5000 : 100_000);
    grown = await writes(server, quick ? 0.05 : 0.5);
    rss = memory(server).rss;
  } finally {
    await server.stop();
  }
  say('mlflow server …');
  const other = await startMlflow({ dir: join(scratch, 'mlflow'), database: join(scratch, 'mlflow.db'), jobs: false });
  const theirs = await writes(other, quick ? 0.01 : 0.03).finally(() => other.stop());
  const searched = await startMlflow({ dir: join(scratch, 'mlflow-search'), database: join(mlflowDir, 'analyzed.db'), jobs: false });
  let theirSearches: Summary[];
  let theirRss: number;
  try {
    theirSearches = await searches(searched, quick ? 3 : 8, true);
    theirRss = memory(searched).rss;
  } finally {
    await searched.stop();
  }

  const aim = (what: string, measured: number, bound: number, unit = '×', better: 'higher' | 'lower' = 'higher') => ({ what, measured, bound, unit, better });
  const p50 = (key: 'create' | 'tag' | 'param') => theirs[key].p50 / ours[key].p50;
  const batchRatios = ours.batches.map((b, i) => b.perSecond / (theirs.batches[i]?.perSecond ?? Number.NaN));
  const latency = (name: string, mine: Summary, other: Summary) => [
    name,
    figure(mine.p50),
    figure(mine.p95),
    figure(other.p50),
    figure(other.p95),
    ratio(other.p50 / mine.p50),
  ];
  const rate = (name: string, mine: number, other: number) => [name, figure(mine), figure(other), ratio(mine / other)];
  return {
    about: `Tracking at scale: ${size.runs.toLocaleString('en-US')} runs × ${size.metrics} metrics × ${size.params} params, single writes, 32 clients, a series of a million points, a run with 100,000 metric keys.`,
    settings: [
      'Both on SQLite, durable as each is by default; `mlflow server` with its 4 workers, job runner and telemetry off, its database for searching analyzed.',
      'The same plain HTTP client for both, one kept-alive connection a client; MLflow gets fewer requests of the same kind.',
    ],
    tables: [
      {
        header: ['Writes, points/s', 'Binnacle', 'mlflow server', 'ratio'],
        rows: [
          rate('`log-metric` one by one, 32 clients', ours.single, theirs.single),
          ...ours.batches.map((b, i) =>
            rate(`\`log-batch\` of ${b.points}, ${b.clients} client${b.clients === 1 ? '' : 's'}`, b.perSecond, theirs.batches[i]?.perSecond ?? Number.NaN),
          ),
        ],
      },
      {
        header: ['Latency, ms', 'Binnacle p50', 'p95', 'mlflow server p50', 'p95', 'p50, times faster'],
        rows: [
          latency('create run', ours.create, theirs.create),
          latency('set tag', ours.tag, theirs.tag),
          latency('log param', ours.param, theirs.param),
          ...PAGES.map(({ name }, i) => latency(`\`runs/search\`, ${name}`, oursSearches[i] as Summary, theirSearches[i] as Summary)),
        ],
      },
    ],
    aims: [
      ...ours.batches.map((b, i) =>
        aim(`points/s, \`log-batch\` of ${b.points}, ${b.clients} client${b.clients === 1 ? '' : 's'}`, batchRatios[i] ?? Number.NaN, 20),
      ),
      aim('points/s, `log-metric`, 32 clients', ours.single / theirs.single, 10),
      aim('create run, p50', p50('create'), 5),
      aim('set tag, p50', p50('tag'), 5),
      aim('log param, p50', p50('param'), 5),
      ...PAGES.map(({ name }, i) =>
        aim(`\`runs/search\`, ${name}, p95`, (theirSearches[i] as Summary).p95 / (oursSearches[i] as Summary).p95, i === 2 ? 10 : 20),
      ),
      ...PAGES.slice(0, 2).map(({ name }, i) => aim(`\`runs/search\`, ${name}, p95`, (oursSearches[i] as Summary).p95, 30, 'ms', 'lower')),
      aim('a series of 1,000,000 points as 1,000 buckets, p50', big.series.p50, 30, 'ms', 'lower'),
      aim('a run with 100,000 metric keys: opening it, p50', big.open.p50, 200, 'ms', 'lower'),
      aim('picking one of its keys, p50', big.pick.p50, 200, 'ms', 'lower'),
      aim('RSS after all of it, to mlflow server after its searches', rss / theirRss, 0.2, '×', 'lower'),
      aim('ten times the runs: search, p50', (oursSearches[0] as Summary).p50 / (fewSearches[0] as Summary).p50, 1.3, '×', 'lower'),
      aim(
        '100,000 runs rather than none: time a point of `log-batch` of 1000',
        (ours.batches[2]?.perSecond ?? 0) / (grown.batches[2]?.perSecond ?? 1),
        1.3,
        '×',
        'lower',
      ),
    ],
    notes: [
      `Requests that got an error under 32 clients: Binnacle ${ours.failed + grown.failed}, mlflow server ${theirs.failed} (its SQLite is locked, or its pool of connections is empty).`,
      `RSS: Binnacle ${figure(rss / MIB)} MiB, mlflow server ${figure(theirRss / MIB)} MiB (its processes summed).`,
    ],
    raw: { ours, theirs, oursSearches, fewSearches, theirSearches, big, grown, rss, theirRss },
  };
}

export const trackingScale: Benchmark = { name: 'tracking-scale', title: 'Tracking at scale', run };
