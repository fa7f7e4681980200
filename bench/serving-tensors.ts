import { join } from 'node:path';
import { createClient } from '@binnacle/sdk';
import { Connection } from './lib/http.ts';
import { startMlServer, startTriton } from './lib/model-servers.ts';
import { models, push } from './lib/models.ts';
import { type Server, startBinnacle, startFastApi } from './lib/servers.ts';
import { figure, ratio } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';
import { type Load, post } from './lib/wrk.ts';

const VALUES = 150_000;

async function run(context: Context) {
  const { quick, scratch, say } = context;
  const dir = await models(context);
  const model = join(dir, 'identity.onnx');
  const seconds = quick ? 2 : 10;
  const data = Float32Array.from({ length: VALUES }, (_, i) => Math.fround(Math.sin(i)));
  const json = JSON.stringify({ inputs: [{ name: 'X', datatype: 'FP32', shape: [1, VALUES], data: [...data] }] });
  const rows = JSON.stringify({ inputs: [[...data]] });
  const head = JSON.stringify({
    inputs: [{ name: 'X', datatype: 'FP32', shape: [1, VALUES], parameters: { binary_data_size: data.byteLength } }],
    parameters: { binary_data_output: true },
  });
  const binary = Buffer.concat([Buffer.from(head), Buffer.from(data.buffer)]);
  const found: { what: string; server: string; load: Load }[] = [];

  async function load(server: Server, name: string, what: 'JSON' | 'binary', path: string, body: string | Buffer): Promise<void> {
    const connection = new Connection(server.url);
    const headers: Record<string, string> = what === 'binary' ? { 'Inference-Header-Content-Length': String(Buffer.byteLength(head)) } : {};
    const type = what === 'binary' ? 'application/octet-stream' : 'application/json';
    const reply = await connection
      .send(
        'POST',
        path,
        body,
        `${type}${Object.entries(headers)
          .map(([key, value]) => `\r\n${key}: ${value}`)
          .join('')}`,
      )
      .finally(() => connection.close());
    if (reply.status !== 200 || reply.body.length < data.byteLength)
      throw new Error(`${name} answered ${reply.status} with ${reply.body.length} bytes: ${reply.body.toString('utf8', 0, 300)}`);
    const options = { connections: 8, scratch, type, headers };
    await post(`${server.url}${path}`, body, { ...options, seconds: quick ? 1 : 3 });
    found.push({ what, server: name, load: await post(`${server.url}${path}`, body, { ...options, seconds }) });
  }
  const each = async (server: Server, name: string, loads: ['JSON' | 'binary', string, string | Buffer][]): Promise<void> => {
    try {
      for (const [what, path, body] of loads) await load(server, name, what, path, body);
    } finally {
      await server.stop();
    }
  };
  const INFER = '/v2/models/bench/infer';

  say('Binnacle …');
  const binnacle = await startBinnacle({ dir: join(scratch, 'binnacle') });
  await push(binnacle.url, 'bench', model);
  await createClient({ baseUrl: binnacle.url }).call('deployEndpoint', {
    params: { endpoint: 'bench' },
    body: { model: 'bench', traffic: [{ alias: 'champion' }] },
  });
  await each(binnacle, 'Binnacle', [
    ['JSON', INFER, json],
    ['binary', INFER, binary],
  ]);
  say('FastAPI …');
  await each(await startFastApi({ dir: join(scratch, 'fastapi'), model, app: 'fastapi_identity' }), 'FastAPI + onnxruntime', [['JSON', '/invocations', rows]]);
  say('MLServer …');
  await each(await startMlServer({ dir: join(scratch, 'mlserver'), model, name: 'bench' }), 'MLServer', [['JSON', INFER, json]]);
  say('Triton …');
  const tensor = (name: string) => [{ name, type: 'TYPE_FP32', dims: [-1, -1] }];
  await each(
    await startTriton({ dir: join(scratch, 'triton'), model: { name: 'bench', file: model, inputs: tensor('X'), outputs: tensor('Y'), maxBatch: 0 } }),
    'Triton, Python backend',
    [
      ['JSON', INFER, json],
      ['binary', INFER, binary],
    ],
  );

  const of = (what: string, name: string) => found.find((row) => row.what === what && row.server.startsWith(name))?.load.perSecond ?? Number.NaN;
  const best = (what: string, ...names: string[]) => Math.max(...names.map((name) => of(what, name)).filter((value) => !Number.isNaN(value)));
  const aim = (text: string, measured: number, bound: number) => ({ what: text, measured, better: 'higher' as const, bound, unit: '×' });
  return {
    about: `Requests a second with one tensor of [1, ${VALUES}] floats there and back (an identity): as JSON (${figure(json.length / 1e6)} MB) and as binary (600 KB), over REST, 8 connections.`,
    settings: [
      `wrk, one thread, 8 kept-alive connections, ${seconds} s after ${quick ? 1 : 3} s of warm-up; the size of an answer is checked first. Each server has one core, Binnacle with monitoring on.`,
      'FastAPI: `bench/python/fastapi_identity.py`, pydantic models. MLServer: `bench/python/mlserver_onnx.py`; it takes no binary tensors over REST (see serving-grpc). Triton: the binary of nvidia-pytriton 0.7.0 with its Python backend.',
    ],
    tables: [
      {
        header: ['Body', 'Server', 'Requests/s', 'p50 ms', 'p99 ms'],
        rows: found.map(({ what, server, load: l }) => [what, server, figure(l.perSecond), figure(l.p50), figure(l.p99)]),
      },
    ],
    aims: [
      aim('requests/s, JSON, to the best of FastAPI and MLServer', of('JSON', 'Binnacle') / best('JSON', 'FastAPI', 'MLServer'), 3),
      aim('requests/s, JSON, to Triton', of('JSON', 'Binnacle') / of('JSON', 'Triton'), 3),
      aim('requests/s, binary, to Triton', of('binary', 'Binnacle') / of('binary', 'Triton'), 0.8),
    ],
    notes: [`Binary over JSON, Binnacle: ${ratio(of('binary', 'Binnacle') / of('JSON', 'Binnacle'))}.`],
    raw: found,
  };
}

export const servingTensors: Benchmark = { name: 'serving-tensors', title: 'Serving large tensors', run };
