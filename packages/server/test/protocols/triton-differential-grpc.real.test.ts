import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../src/kernel/index.ts';
import { openInferenceGrpc } from '../../src/protocols/open-inference/index.ts';
import { failure, type GrpcServerKit, type ProtoClient, protoClient, startGrpc } from '../support/grpc.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';
import { startTriton, type TritonServer } from '../support/triton-server.ts';
import { pairs } from './triton-differential/models.ts';

let triton: TritonServer;
let ours: ServingKit;
let grpc: GrpcServerKit;
const clients: Client[] = [];
let theirs: ProtoClient;
let mine: ProtoClient;

const clientOf = (target: string): Promise<ProtoClient> => {
  const client = new Client(target, credentials.createInsecure());
  clients.push(client);
  return protoClient('grpc_service.proto', 'inference.GRPCInferenceService', client);
};

beforeAll(async () => {
  triton = await startTriton(
    pairs.map(({ name, triton: model }) => ({ name, ...model })),
    ['--model-control-mode=explicit', '--load-model=*'],
  );
  ours = await servingKit();
  for (const { name, graph } of pairs) await ours.deploy(name, graph);
  grpc = await startGrpc([openInferenceGrpc({ core: ours.core, logger: silentLogger })]);
  theirs = await clientOf(`127.0.0.1:${triton.grpcPort}`);
  mine = await clientOf(grpc.target);
}, 120_000);
afterAll(async () => {
  for (const client of clients) client.close();
  await grpc?.close();
  await ours?.close();
  await triton?.stop();
});

const raw = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
const x = (shape: number[], datatype = 'FP32', more: object = {}, name = 'x') => ({ name, datatype, shape, ...more });
const infer = (model: string, inputs: object[], contents: Buffer[] = [], more: object = {}): [string, object] => [
  'ModelInfer',
  { model_name: model, inputs, raw_input_contents: contents, ...more },
];
const a = x([1, 2], 'FP32', {}, 'a');
const b = x([1, 2], 'FP32', {}, 'b');
const bytesOf = (...values: Buffer[]): Buffer =>
  Buffer.concat(
    values.flatMap((value) => {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(value.length);
      return [size, value];
    }),
  );

/**
 * Left out, since ours differs on purpose: strings that are cut (ours says where, Triton counts elements), classes, whose shape Triton takes from
 * its configuration, batches of no rows (served here, refused there), inputs of different ranks (Triton compares batches first), and a shared
 * memory object or a model to load that is not there (INTERNAL for Triton; here it is the caller's mistake).
 */
const REQUESTS: [string, object][] = [
  ['ServerLive', {}],
  ['ServerReady', {}],
  ['ModelReady', { name: 'add' }],
  ['ModelReady', { name: 'add', version: '1' }],
  ['ModelReady', { name: 'add', version: '2' }],
  ['ModelReady', { name: 'nope' }],
  ['ModelMetadata', { name: 'add' }],
  ['ModelMetadata', { name: 'add', version: '1' }],
  ['ModelMetadata', { name: 'add', version: '7' }],
  ['ModelMetadata', { name: 'nope' }],
  ['ModelConfig', { name: 'nope' }],
  ['ModelConfig', { name: 'add', version: '7' }],
  ['ModelStatistics', { name: 'nope' }],
  ['ModelStatistics', { name: 'add', version: '7' }],
  infer('add', [a, b], [raw(1, 2), raw(3, 4.5)], { id: 'one' }),
  infer('add', [b, a], [raw(1, 2), raw(3, 4.5)], { id: 'one' }),
  infer('add', [a, b], [raw(1, 2), raw(3, 4)], { id: 'one', model_version: '1', outputs: [{ name: 'total' }] }),
  infer('add', [a, b], [raw(1, 2), raw(3, 4)], { model_version: '3' }),
  infer('add', [a, b], [raw(1, 2), raw(3, 4)], { outputs: [{ name: 'nope' }] }),
  infer('nope', [a, b], [raw(1, 2), raw(3, 4)]),
  infer('add', [a], [raw(1, 2)]),
  infer('add', [a, b], [raw(1, 2)]),
  infer('add', [a, b], [raw(1, 2), raw(3)]),
  infer('add', [a, b], [raw(1, 2), raw(3, 4, 5)]),
  infer('add', [a, a], [raw(1, 2), raw(3, 4)]),
  infer('add', [a, x([1, 3], 'FP32', {}, 'b')], [raw(1, 2), raw(3, 4, 5)]),
  infer('add', [a, x([1, 2], 'INT32', {}, 'b')], [raw(1, 2), raw(3, 4)]),
  infer('add', [a, x([1, 2], 'FP32', {}, 'c')], [raw(1, 2), raw(3, 4)]),
  infer('add', [a, b], [], {}),
  infer('same_fp32', [x([1, 2], 'FP32', { contents: { fp32_contents: [1, 2] } })], [], { id: 'c' }),
  infer('same_int8', [x([1, 2], 'INT8', { contents: { int_contents: [-1, 2] } })], [], { id: 'c' }),
  infer('same_uint16', [x([1, 2], 'UINT16', { contents: { uint_contents: [1, 65535] } })], [], { id: 'c' }),
  infer('same_int64', [x([1, 2], 'INT64', { contents: { int64_contents: [-5, 5] } })], [], { id: 'c' }),
  infer('same_bool', [x([1, 2], 'BOOL', { contents: { bool_contents: [true, false] } })], [], { id: 'c' }),
  infer('same_bytes', [x([1, 2], 'BYTES', { contents: { bytes_contents: [Buffer.from('größe'), Buffer.alloc(0)] } })], [], { id: 'c' }),
  infer('same_bytes', [x([1, 2], 'BYTES')], [bytesOf(Buffer.from('a'), Buffer.from('bc'))], { id: 'c' }),
  infer('same_bytes', [x([1, 2], 'BYTES')], [bytesOf(Buffer.from('a'))]),
  infer('same_bytes', [x([1, 2], 'BYTES')], [bytesOf(Buffer.from('a'), Buffer.from('bc'), Buffer.from('d'))]),
  infer('same_fp16', [x([1, 2], 'FP16')], [Buffer.from([0, 60, 0, 64])], { id: 'c' }),
  infer('same_fp32', [x([1, 2], 'FP32', { contents: { fp32_contents: [1, 2] } })], [raw(1, 2)]),
  infer('same_fp32', [x([1, 2], 'FP32', { parameters: { shared_memory_region: { string_param: 'gone' }, shared_memory_byte_size: { int64_param: 8 } } })]),
  infer('same_fp32', [x([1, 2], 'FP32', { contents: { fp64_contents: [1, 2] } })]),
  infer('same_fp32', [x([1, 2])], [raw(1, 2)], { parameters: { priority: { int64_param: -1 } } }),
  infer('same_fp32', [x([1, 2])], [raw(1, 2)], { parameters: { sequence_start: { int64_param: 1 } } }),
  infer('same_fp32', [x([1, 2])], [raw(1, 2)], {
    id: 'c',
    parameters: { priority: { uint64_param: 1 }, timeout: { int64_param: 60_000_000 }, mine: { double_param: 0.5 } },
  }),
  ['SystemSharedMemoryStatus', {}],
  ['SystemSharedMemoryStatus', { name: 'gone' }],
  ['SystemSharedMemoryUnregister', { name: 'gone' }],
  ['CudaSharedMemoryStatus', {}],
];

/** Our own request id, the names of the software and an order that the protocol leaves open cannot be the same. */
function normal(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value === 'string') return value.replace('[request id: <id_unknown>] ', '');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'platform')
      .map(([key, item]) => [key, normal(item)]),
  );
}

/** The same answer; of an error's text one may be the beginning of the other, since ours go on with what to do. */
function same(them: string, us: string): boolean {
  const [short, long] = [them, us].sort((one, other) => one.length - other.length) as [string, string];
  return short.startsWith('"') ? long.startsWith(short.slice(0, -1).replace(/\.$/, '')) : short === long;
}

async function ask(client: ProtoClient, [method, message]: [string, object]): Promise<unknown> {
  let reply: unknown;
  const failed = await failure(
    client.call(method, message).then((answer) => {
      reply = answer;
    }),
  );
  return failed === 'nothing' ? normal(reply) : normal(failed);
}

it("the same calls get Triton's own answers", async () => {
  const lines: string[] = [];
  for (const request of REQUESTS) {
    const [them, us] = [JSON.stringify(await ask(theirs, request)), JSON.stringify(await ask(mine, request))];
    if (!same(them, us)) lines.push(`${JSON.stringify(request)}\n  triton ${them.slice(0, 400)}\n  ours   ${us.slice(0, 400)}`);
  }
  expect(lines.join('\n')).toBe('');
}, 120_000);
