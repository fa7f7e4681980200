import { createClient } from '@binnacle/sdk';
import { Connection, withClients } from './http.ts';
import { experimentId } from './search-data.ts';
import type { Server } from './servers.ts';
import { type Summary, summarise } from './stats.ts';

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

export interface Writes {
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
export async function writes(server: Server, scale: number): Promise<Writes> {
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
    const runs: string[] = [];
    for (let i = 0; i < clients; i++) runs.push(await newRun(connection));
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
    [1000, 1, 800],
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
export const PAGES = [
  { name: 'first page of 100', size: 100, page: 1 },
  { name: 'hundredth page of 100', size: 100, page: 100 },
  { name: "the client's default page of 1000", size: 1000, page: 1 },
] as const;

export async function searches(server: Server, repeats: number, offsets: boolean): Promise<Summary[]> {
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
export async function large(server: Server, points: number, keys: number): Promise<{ series: Summary; open: Summary; pick: Summary }> {
  const client = createClient({ baseUrl: server.url });
  const connection = new Connection(server.url);
  const long = await newRun(connection);
  const wide = await newRun(connection);
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
