import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { join } from 'node:path';
import { createClient } from '@binnacle/sdk';
import { inferMessage } from './lib/grpc.ts';
import { framed } from './lib/h2load.ts';
import { Connection } from './lib/http.ts';
import { models, push } from './lib/models.ts';
import { Mutator } from './lib/mutate.ts';
import { freePort, sampleMemory } from './lib/process.ts';
import { type Server, startBinnacle } from './lib/servers.ts';
import { figure, lateSlope, MIB } from './lib/stats.ts';
import type { Benchmark, Context } from './lib/types.ts';

const X = { name: 'X', datatype: 'FP32', shape: [1, 12], data: Array.from({ length: 12 }, () => 0.5) };
const ROW = Array.from({ length: 12 }, () => 0.5);

interface Seed {
  method: string;
  path: string;
  body?: object;
  /** Binary tensors behind the JSON. */
  binary?: Buffer;
}
const SEEDS: Seed[] = [
  { method: 'POST', path: '/v2/models/bench/infer', body: { id: 'a', inputs: [X], outputs: [{ name: 'probabilities', parameters: { classification: 2 } }] } },
  { method: 'POST', path: '/v2/models/bench/versions/1/infer', body: { inputs: [X], parameters: { priority: 1, timeout: 1000, sequence_id: 0 } } },
  {
    method: 'POST',
    path: '/v2/models/bench/infer',
    body: { inputs: [{ ...X, data: undefined, parameters: { binary_data_size: 48 } }], parameters: { binary_data_output: true } },
    binary: Buffer.from(Float32Array.from(ROW).buffer),
  },
  { method: 'POST', path: '/v2/models/bench/generate', body: { X: ROW } },
  { method: 'GET', path: '/v2/models/bench' },
  { method: 'GET', path: '/v2/models/bench/config' },
  { method: 'GET', path: '/v2/models/bench/stats' },
  { method: 'POST', path: '/v2/repository/index', body: { ready: true } },
  { method: 'POST', path: '/v2/systemsharedmemory/region/r/register', body: { key: '/nope', offset: 0, byte_size: 8 } },
  { method: 'POST', path: '/v2/trace/setting', body: { trace_level: ['OFF'], trace_rate: '1000' } },
  { method: 'POST', path: '/v1/models/bench:predict', body: { instances: [ROW] } },
  { method: 'POST', path: '/v1/models/bench/versions/1:predict', body: { inputs: { X: [ROW] }, signature_name: 'serving_default' } },
  { method: 'POST', path: '/v1/models/bench:classify', body: { examples: [{ X: ROW }] } },
  { method: 'GET', path: '/v1/models/bench/metadata' },
  { method: 'POST', path: '/endpoints/bench/invocations', body: { inputs: [ROW], params: {} } },
  { method: 'POST', path: '/endpoints/bench/invocations', body: { dataframe_split: { columns: ROW.map((_, i) => String(i)), data: [ROW] } } },
  { method: 'POST', path: '/endpoints/bench/invocations', body: { dataframe_records: [Object.fromEntries(ROW.map((v, i) => [String(i), v]))] } },
];
const HEADERS = [
  'content-type: text/csv',
  'content-encoding: gzip',
  'content-encoding: br',
  'inference-header-content-length: 5',
  'x-request-id: \u00ff',
  'accept-encoding: gzip',
];

interface Tally {
  sent: number;
  byStatus: Map<string, number>;
  /** What broke the promise, a few of each kind. */
  broken: Map<string, string[]>;
}
const count = (tally: Tally, status: string): void => void tally.byStatus.set(status, (tally.byStatus.get(status) ?? 0) + 1);
function breach(tally: Tally, kind: string, what: string): void {
  const seen = tally.broken.get(kind) ?? [];
  if (seen.length < 5) seen.push(what.slice(0, 600));
  tally.broken.set(kind, seen);
}

/** One connection that sends broken requests one after the other. */
async function rest(server: Server, requests: number, seed: number, tally: Tally): Promise<void> {
  const random = new Mutator(seed);
  let connection = new Connection(server.url);
  for (let i = 0; i < requests; i++) {
    const from = random.pick(SEEDS);
    const document = from.body === undefined ? undefined : random.below(2) === 0 ? random.json(from.body) : from.body;
    const json = document === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(document) ?? '');
    let body: Buffer = from.binary === undefined ? json : Buffer.concat([json, from.binary]);
    if (random.below(2) === 0) body = random.bytes(body);
    const path = random.below(6) === 0 ? broken(random, from.path) : from.path;
    const type = ['application/json'];
    if (from.binary !== undefined) type.push(`inference-header-content-length: ${random.below(4) === 0 ? random.below(400) - 20 : json.length}`);
    if (random.below(5) === 0) type.push(random.pick(HEADERS));
    tally.sent++;
    try {
      const answer = await Promise.race([
        connection.send(from.method, path, from.method === 'GET' ? undefined : body, type.join('\r\n')),
        new Promise<never>((_, reject) => setTimeout(() => reject(new Error('no answer within 20 s')), 20_000).unref()),
      ]);
      count(tally, String(answer.status));
      if (answer.status >= 500 && answer.status !== 501 && answer.status !== 503)
        breach(tally, `status ${answer.status}`, `${from.method} ${path} ${body.toString('latin1')} → ${answer.body.toString()}`);
      if (answer.status >= 400 && !wellFormed(answer.body))
        breach(tally, 'an error that is no JSON', `${from.method} ${path} → ${answer.status} ${answer.body.toString()}`);
    } catch (error) {
      const text = (error as Error).message;
      count(tally, text);
      // A request that is no HTTP ends its connection; one that is must be answered.
      if (text.startsWith('no answer')) breach(tally, text, `${from.method} ${path} ${body.toString('latin1')}`);
      connection.close();
      connection = new Connection(server.url);
    }
  }
  connection.close();
}

function broken(random: Mutator, path: string): string {
  const bytes = random.bytes(Buffer.from(path)).toString('latin1');
  return `/${encodeURI(bytes.replace(/[\s\u0000-\u001f]/g, '')).replace(/^\/+/, '')}`;
}

function wellFormed(body: Buffer): boolean {
  if (body.length === 0) return true;
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

const METHODS = [
  'inference.GRPCInferenceService/ModelInfer',
  'inference.GRPCInferenceService/ModelConfig',
  'inference.GRPCInferenceService/RepositoryIndex',
  'tensorflow.serving.PredictionService/Predict',
  'grpc.health.v1.Health/Check',
];

async function grpc(port: number, requests: number, seed: number, tally: Tally): Promise<void> {
  const random = new Mutator(seed);
  const message = Buffer.from(await inferMessage('bench', 'X', [1, 12], Float32Array.from(ROW)));
  let session: ClientHttp2Session | undefined;
  for (let i = 0; i < requests; i++) {
    if (session === undefined || session.closed || session.destroyed) {
      session = connectHttp2(`http://127.0.0.1:${port}`);
      session.on('error', () => {});
    }
    const payload = random.bytes(message);
    let frame = framed(payload);
    if (random.below(4) === 0) frame = random.bytes(frame);
    const path = `/${random.below(10) === 0 ? random.bytes(Buffer.from(random.pick(METHODS))).toString('hex') : random.pick(METHODS)}`;
    tally.sent++;
    const { status, text } = await call(session, path, frame);
    count(tally, `grpc ${status}`);
    // INTERNAL is also what gRPC says of a message that is none: then the text does.
    if (status === '2' || text.includes('made a mistake')) breach(tally, `gRPC status ${status}`, `${path} ${frame.toString('hex')}`);
    if (status === 'none' || status === 'hangs') breach(tally, `gRPC: ${status}`, `${path} ${frame.toString('hex')}`);
  }
  session?.close();
}

/** The status that a call got; 'reset' when the stream was broken off, 'none' when it ended without one. */
function call(session: ClientHttp2Session, path: string, frame: Buffer): Promise<{ status: string; text: string }> {
  return new Promise((resolve) => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
    const timer = setTimeout(() => {
      stream.close();
      resolve({ status: 'hangs', text });
    }, 20_000);
    let status = 'none';
    let text = '';
    const take = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status']);
      if (headers['grpc-message'] !== undefined) text = String(headers['grpc-message']).replaceAll('%20', ' ');
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('error', () => {
      if (status === 'none') status = 'reset';
    });
    stream.on('close', () => {
      clearTimeout(timer);
      resolve({ status, text });
    });
    stream.resume();
    stream.end(frame);
  });
}

async function run(context: Context) {
  const { quick, scratch, say } = context;
  const dir = await models(context);
  const grpcPort = await freePort();
  const server = await startBinnacle({ dir: join(scratch, 'binnacle'), args: ['--grpc-port', String(grpcPort), '--log-level', 'silent'], cores: '0' });
  const total = quick ? 20_000 : 1_000_000;
  const share = { rest: Math.round(total * 0.75), grpc: Math.round(total * 0.25) };
  const tally: Tally = { sent: 0, byStatus: new Map(), broken: new Map() };
  const begun = performance.now();
  const memory = sampleMemory(server, 1000);
  let alive = true;
  try {
    await push(server.url, 'bench', join(dir, 'serving.onnx'));
    await createClient({ baseUrl: server.url }).call('deployEndpoint', {
      params: { endpoint: 'bench' },
      body: { model: 'bench', traffic: [{ alias: 'champion' }] },
    });
    const timer = setInterval(() => say(`${figure(tally.sent)} of ${figure(total)} …`), 20_000);
    await Promise.all([
      ...Array.from({ length: 16 }, (_, i) => rest(server, Math.ceil(share.rest / 16), 1000 + i, tally)),
      ...Array.from({ length: 4 }, (_, i) => grpc(grpcPort, Math.ceil(share.grpc / 4), 9000 + i, tally)),
    ]);
    clearInterval(timer);
    alive = server.alive() && (await fetch(`${server.url}/v2/health/ready`)).status === 200;
  } finally {
    await server.stop();
  }
  const samples = memory();
  const slope = (lateSlope(samples) * 60) / MIB;
  const kinds = [...tally.broken.keys()];
  const aim = (what: string, measured: number, bound: number, unit: string) => ({ what, measured, better: 'lower' as const, bound, unit });
  return {
    about: `${figure(tally.sent)} requests broken at random, over REST (Open Inference, TensorFlow Serving, MLflow scoring) and gRPC, against one server.`,
    settings: [
      'Mutations of valid requests (`bench/lib/mutate.ts`): JSON values replaced, taken out, renamed, nested; bytes flipped, cut, doubled; wrong header sizes and encodings; broken paths; gRPC frames and methods. Fixed seeds.',
      'A breach is: no answer within 20 s, a status of 500 (gRPC: UNKNOWN, or INTERNAL for what is not the message’s fault), an error that is no JSON, a call that ends without a status, or a server that is gone at the end.',
    ],
    tables: [
      {
        header: ['Answer', 'Requests'],
        rows: [...tally.byStatus].sort(([, a], [, b]) => b - a).map(([status, n]) => [status, figure(n)]),
      },
      ...(kinds.length === 0
        ? []
        : [
            {
              caption: 'Breaches',
              header: ['Kind', 'First'],
              rows: kinds.map((kind) => [kind, `\`${(tally.broken.get(kind)?.[0] ?? '').replaceAll('|', '\\|').slice(0, 300)}\``]),
            },
          ]),
    ],
    aims: [
      aim('kinds of breaches', kinds.length, 0, ''),
      aim('server gone', alive ? 0 : 1, 0, ''),
      aim('growth of memory in the second half', Math.max(0, slope), 5, 'MiB/min'),
    ],
    notes: [
      `${figure(tally.sent / ((performance.now() - begun) / 1000))} requests a second; RSS ${figure((samples[0]?.y ?? 0) / MIB)} MiB at first, ${figure((samples.at(-1)?.y ?? 0) / MIB)} at the end.`,
    ],
    raw: { byStatus: Object.fromEntries(tally.byStatus), broken: Object.fromEntries(tally.broken), samples },
  };
}

export const fuzz: Benchmark = { name: 'fuzz', title: 'Broken requests', run };
