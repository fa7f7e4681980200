import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@binnacle/sdk';
import { callOnce, inferMessage } from './lib/grpc.ts';
import { calls } from './lib/h2load.ts';
import { startMlServer, startTriton } from './lib/model-servers.ts';
import { models, push } from './lib/models.ts';
import { freePort } from './lib/process.ts';
import { startBinnacle } from './lib/servers.ts';
import { figure, ratio } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';
import type { Load } from './lib/wrk.ts';

const METHOD = '/inference.GRPCInferenceService/ModelInfer';
const CONNECTIONS = 32;

interface Case {
  title: string;
  file: string;
  model: {
    name: string;
    inputs: { name: string; type: string; dims: number[] }[];
    outputs: { name: string; type: string; dims: number[] }[];
    maxBatch: number;
  };
  message: Uint8Array;
  connections: number;
  /** Of the reply, so that a server that answers with less is found out. */
  bytes: number;
  aims: { mlserver: number; triton: number };
}

async function run(context: Context) {
  const { quick, scratch, say } = context;
  const dir = await models(context);
  const seconds = quick ? 2 : 10;
  const row = (JSON.parse(readFileSync(join(dir, 'serving.json'), 'utf8')) as { rows: number[][] }).rows[0] ?? [];
  const wide = Float32Array.from({ length: 150_000 }, (_, i) => Math.fround(Math.sin(i)));
  const cases: Case[] = [
    {
      title: 'tiny tabular model, one row',
      file: join(dir, 'serving.onnx'),
      model: {
        name: 'bench',
        inputs: [{ name: 'X', type: 'TYPE_FP32', dims: [12] }],
        outputs: [
          { name: 'label', type: 'TYPE_INT64', dims: [] },
          { name: 'probabilities', type: 'TYPE_FP32', dims: [2] },
        ],
        maxBatch: 0,
      },
      message: await inferMessage('bench', 'X', [1, row.length], Float32Array.from(row)),
      connections: CONNECTIONS,
      bytes: 8,
      aims: { mlserver: 5, triton: 0.7 },
    },
    {
      title: '600 KB there and back (identity of [1, 150000] floats)',
      file: join(dir, 'identity.onnx'),
      model: { name: 'bench', inputs: [{ name: 'X', type: 'TYPE_FP32', dims: [-1] }], outputs: [{ name: 'Y', type: 'TYPE_FP32', dims: [-1] }], maxBatch: 0 },
      message: await inferMessage('bench', 'X', [1, wide.length], wide),
      connections: 8,
      bytes: wide.byteLength,
      aims: { mlserver: 5, triton: 0.8 },
    },
  ];
  const rows: { title: string; server: string; load: Load }[] = [];
  const aims = [];
  for (const one of cases) {
    const measure = async (server: { grpcPort: number; stop(): Promise<void> }, name: string): Promise<Load> => {
      try {
        const size = await callOnce(server.grpcPort, METHOD, one.message);
        if (size < one.bytes) throw new Error(`${name} answered ${size} bytes; at least ${one.bytes} were expected`);
        const load = await calls(server.grpcPort, METHOD, one.message, { clients: one.connections, streams: 1, seconds, warmUp: quick ? 1 : 3, scratch });
        rows.push({ title: one.title, server: name, load });
        return load;
      } finally {
        await server.stop();
      }
    };
    say(`${one.title}: Binnacle …`);
    const grpcPort = await freePort();
    const binnacle = await startBinnacle({ dir: join(scratch, `binnacle-${rows.length}`), args: ['--grpc-port', String(grpcPort)] });
    await push(binnacle.url, 'bench', one.file);
    await createClient({ baseUrl: binnacle.url }).call('deployEndpoint', {
      params: { endpoint: 'bench' },
      body: { model: 'bench', traffic: [{ alias: 'champion' }] },
    });
    const ours = await measure({ ...binnacle, grpcPort }, 'Binnacle');
    say('MLServer …');
    const mlserver = await measure(await startMlServer({ dir: join(scratch, `mlserver-${rows.length}`), model: one.file, name: 'bench' }), 'MLServer');
    say('Triton …');
    const tensors = one.model.outputs.map((output) => ({ ...output, dims: [-1, ...output.dims] }));
    const inputs = one.model.inputs.map((input) => ({ ...input, dims: [-1, ...input.dims] }));
    const model = { ...one.model, inputs, outputs: tensors, file: one.file };
    const triton = await measure(await startTriton({ dir: join(scratch, `triton-${rows.length}`), model }), 'Triton, Python backend');
    aims.push(
      {
        what: `calls/s, ${one.title}, to MLServer`,
        measured: ours.perSecond / mlserver.perSecond,
        better: 'higher' as const,
        bound: one.aims.mlserver,
        unit: '×',
      },
      { what: `calls/s, ${one.title}, to Triton`, measured: ours.perSecond / triton.perSecond, better: 'higher' as const, bound: one.aims.triton, unit: '×' },
    );
  }
  return {
    about: 'Calls a second and latency of ModelInfer over gRPC, beside MLServer and Triton’s own binary.',
    settings: [
      'The same ONNX files everywhere, ONNX Runtime with one thread; the same message (`raw_input_contents`).',
      `h2load, one thread on a core of its own, ${CONNECTIONS} connections (8 for the large tensor) with one call each at a time, ${seconds} s after ${quick ? 1 : 3} s of warm-up, stream and connection windows of 16 MiB.`,
      'Every server has one core; Binnacle with monitoring on.',
      'Triton: the `tritonserver` of nvidia-pytriton 0.7.0 with its Python backend running ONNX Runtime (`bench/python/triton_model.py`), since its ONNX Runtime backend is in no package; with its own, Triton would be quicker.',
      'MLServer: `bench/python/mlserver_onnx.py`, `parallel_workers` 0.',
    ],
    tables: [
      {
        header: ['What', 'Server', 'Calls/s', 'p50 ms', 'p99 ms', 'p99.9 ms'],
        rows: rows.map(({ title, server, load }) => [title, server, figure(load.perSecond), figure(load.p50), figure(load.p99), figure(load.p999)]),
      },
    ],
    aims,
    notes: cases.map(({ title }) => {
      const of = (name: string) => rows.find((r) => r.title === title && r.server.startsWith(name))?.load.perSecond ?? Number.NaN;
      return `${title}: ${ratio(of('Binnacle') / of('MLServer'))} MLServer, ${ratio(of('Binnacle') / of('Triton'))} Triton.`;
    }),
    raw: rows,
  };
}

export const servingGrpc: Benchmark = { name: 'serving-grpc', title: 'Serving over gRPC', run };
