import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@binnacle/sdk';
import { Connection } from './lib/http.ts';
import { models, push } from './lib/models.ts';
import { startBentoMl, startMlServer } from './lib/model-servers.ts';
import { type Server, startBinnacle, startFastApi, startMlflowModel } from './lib/servers.ts';
import { figure, ratio } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';
import { type Load, post } from './lib/wrk.ts';

const CONNECTIONS = 32;

interface Row {
  server: string;
  load: Load;
}
/** Rows that the prediction log has left out, because more came than it could take. */
async function dropped(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^binnacle_prediction_rows_dropped_total\{endpoint="bench"\} (\d+)/m.exec(text)?.[1] ?? 0);
}
interface Sample {
  rows: number[][];
  probabilities: number[];
}

/** Numbers anywhere in a reply, in order. */
const numbers = (value: unknown): number[] =>
  typeof value === 'number' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbers) : [];

/** The server's answer must hold what scikit-learn says; else its speed means nothing. */
async function check(url: string, path: string, body: string, expected: number): Promise<void> {
  const connection = new Connection(url);
  const reply = await connection.json<unknown>('POST', path, JSON.parse(body)).finally(() => connection.close());
  if (!numbers(reply).some((n) => Math.abs(n - expected) < 1e-4))
    throw new Error(`${url}${path} answered ${JSON.stringify(reply).slice(0, 300)}; ${expected} was expected in it`);
}

async function run(context: Context) {
  const { quick, scratch, say } = context;
  const dir = await models(context);
  const model = join(dir, 'serving.onnx');
  const sample = JSON.parse(readFileSync(join(dir, 'serving.json'), 'utf8')) as Sample;
  const row = sample.rows[0] ?? [];
  const expected = sample.probabilities[0] ?? Number.NaN;
  const invocation = JSON.stringify({ inputs: [row] });
  const infer = JSON.stringify({ inputs: [{ name: 'X', datatype: 'FP32', shape: [1, row.length], data: row }] });
  const seconds = quick ? 2 : 10;

  async function load(server: Server, path: string, body: string): Promise<Load> {
    await check(server.url, path, body, expected);
    const options = { connections: CONNECTIONS, scratch };
    await post(`${server.url}${path}`, body, { ...options, seconds: quick ? 1 : 3 });
    return await post(`${server.url}${path}`, body, { ...options, seconds });
  }
  let unlogged = 0;
  async function binnacle(args: string[], paths: [string, string, string][]): Promise<Row[]> {
    const server = await startBinnacle({ dir: join(scratch, `binnacle${args.join('')}`), args });
    try {
      await push(server.url, 'bench', model);
      await createClient({ baseUrl: server.url }).call('deployEndpoint', {
        params: { endpoint: 'bench' },
        body: { model: 'bench', traffic: [{ alias: 'champion' }] },
      });
      const out: Row[] = [];
      for (const [name, path, body] of paths) out.push({ server: name, load: await load(server, path, body) });
      unlogged += await dropped(server.url);
      return out;
    } finally {
      await server.stop();
    }
  }
  async function other(server: Server, name: string, path = '/invocations', body = invocation): Promise<Row> {
    try {
      return { server: name, load: await load(server, path, body) };
    } finally {
      await server.stop();
    }
  }

  say('Binnacle …');
  const ours = await binnacle(
    [],
    [
      ['Binnacle, `/invocations`', '/endpoints/bench/invocations', invocation],
      ['Binnacle, Open Inference `/v2`', '/v2/models/bench/infer', infer],
    ],
  );
  const unwatched = await binnacle(['--no-monitoring'], [['Binnacle, `/invocations`, monitoring off', '/endpoints/bench/invocations', invocation]]);
  say('FastAPI …');
  const fastapi = await other(await startFastApi({ dir: join(scratch, 'fastapi'), model }), 'FastAPI + onnxruntime');
  say('mlflow models serve …');
  const mlflow = await other(await startMlflowModel({ dir: join(scratch, 'mlflow'), model: join(dir, 'serving') }), '`mlflow models serve`');

  say('MLServer …');
  const mlserver = await other(
    await startMlServer({ dir: join(scratch, 'mlserver'), model, name: 'bench' }),
    'MLServer, Open Inference',
    '/v2/models/bench/infer',
    infer,
  );
  say('BentoML …');
  const bento = await other(await startBentoMl({ dir: join(scratch, 'bento'), model, batchable: false }), 'BentoML');
  const batching = await other(await startBentoMl({ dir: join(scratch, 'bento-batching'), model, batchable: true }), 'BentoML, adaptive batching');

  const others = [fastapi, mlserver, bento, batching, mlflow];
  const best = others.reduce((a, b) => (b.load.perSecond > a.load.perSecond ? b : a));
  const quickest = others.reduce((a, b) => (b.load.p99 < a.load.p99 ? b : a));
  const all = [...ours, ...unwatched, ...others];
  const to = (load: Load, base: Row) => load.perSecond / base.load.perSecond;
  return {
    about:
      'Requests a second and latency of a tabular model (gradient boosting, 50 trees of depth 3, 12 features) over JSON, one row a request, 32 connections.',
    settings: [
      'The same `serving.onnx` everywhere, ONNX Runtime with one thread; the same bytes for `/invocations` on all (MLServer has Open Inference) (`{"inputs": [[…]]}`). Each server\'s answer is checked against scikit-learn\'s first.',
      `wrk, one thread, ${CONNECTIONS} kept-alive connections, ${seconds} s after ${quick ? 1 : 3} s of warm-up; a reply other than 2xx fails the benchmark.`,
      'Binnacle: one process, monitoring on (prediction log and profiles of every prediction) unless the row says otherwise.',
      'FastAPI: `bench/python/fastapi_app.py`, pydantic models, uvicorn with one worker on uvloop and httptools, no access log.',
      'MLServer: `bench/python/mlserver_onnx.py` as a custom runtime, `parallel_workers` 0. BentoML: `bench/python/bento_service.py`, one worker, without and with adaptive batching.',
      '`mlflow models serve`: `--env-manager local --workers 1` (its default number), the tensor signature of the model.',
    ],
    tables: [
      {
        header: ['Server', 'Requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'to FastAPI', 'to the best'],
        rows: all.map(({ server, load }) => [
          server,
          figure(load.perSecond),
          figure(load.p50),
          figure(load.p99),
          figure(load.p999),
          ratio(to(load, fastapi)),
          ratio(to(load, best)),
        ]),
      },
    ],
    aims: ours.flatMap(({ server, load }) => [
      { what: `requests/s, ${server}, to the best of the others`, measured: to(load, best), better: 'higher' as const, bound: 8, unit: '×' },
      { what: `p99, ${server}, the best of the others' over ours`, measured: quickest.load.p99 / load.p99, better: 'higher' as const, bound: 8, unit: '×' },
    ]),
    notes: [
      `Monitoring every prediction costs ${figure((1 - (ours[0]?.load.perSecond ?? 0) / (unwatched[0]?.load.perSecond ?? 1)) * 100)} % of the requests/s of this tiny model; the log left out ${figure(unlogged)} of the ${figure(ours.reduce((sum, { load }) => sum + load.requests, 0))} predictions counted here.`,
    ],
    raw: all,
  };
}

export const serving: Benchmark = { name: 'serving', title: 'Serving a tabular model', run };
