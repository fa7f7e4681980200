import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/kernel/index.ts';
import { openInferenceGrpc } from '../../src/protocols/open-inference/index.ts';
import { failure, type GrpcServerKit, type ProtoClient, protoClient, startGrpc } from '../support/grpc.ts';
import { identity, slow, sum, twoColumns } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit, until } from '../support/serving.ts';

let kit: ServingKit;
let grpc: GrpcServerKit;
let rpc: ProtoClient;
beforeAll(async () => {
  kit = await servingKit({ maxQueue: 4 });
  grpc = await startGrpc([openInferenceGrpc({ core: kit.core, logger: silentLogger })], { maxMessageBytes: 1 << 20 });
  rpc = await protoClient('grpc_service.proto', 'inference.GRPCInferenceService', grpc.client());
  await kit.deploy('sum', sum(2));
  await kit.deploy('two', twoColumns());
  await kit.deploy('slow', slow());
  for (const type of ['FP32', 'FP16', 'INT64', 'INT8', 'BYTES']) await kit.deploy(type, identity(type));
});
afterAll(async () => {
  await grpc?.close();
  await kit?.close();
});

const raw = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
const input = (shape: number[], datatype = 'FP32', name = 'x') => ({ name, datatype, shape });
const request = (model: string, shape: number[], bytes: Buffer, more: object = {}) => ({
  model_name: model,
  inputs: [input(shape)],
  raw_input_contents: [bytes],
  ...more,
});
const infer = (message: object, metadata: Record<string, string> = {}) => rpc.call('ModelInfer', message, { metadata });
const error = (message: object) => failure(infer(message));
const floats = (bytes: Buffer): number[] => [...new Float32Array(Uint8Array.from(bytes).buffer)];

describe('the server', () => {
  it('is live, ready and names itself', async () => {
    expect(await rpc.call('ServerLive')).toEqual({ live: true });
    expect(await rpc.call('ServerReady')).toEqual({ ready: true });
    expect(await rpc.call('ServerMetadata')).toMatchObject({ name: 'binnacle', version: '0.0.0' });
  });

  it('tells of a model, by version too', async () => {
    const about = { name: 'sum', versions: ['1'], inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }], outputs: [{ name: 'y', shape: [-1, 1] }] };
    expect(await rpc.call('ModelMetadata', { name: 'sum' })).toMatchObject(about);
    expect(await rpc.call('ModelMetadata', { name: 'sum', version: '1' })).toMatchObject(about);
    expect(await rpc.call('ModelReady', { name: 'sum', version: '1' })).toEqual({ ready: true });
    expect(await rpc.call('ModelReady', { name: 'sum', version: '2' })).toEqual({ ready: false });
    expect(await failure(rpc.call('ModelMetadata', { name: 'sum', version: '-1' }))).toMatch(
      /^INVALID_ARGUMENT: failed to get model version from specified version string '-1'/,
    );
  });
});

describe('an inference', () => {
  it('takes raw contents and gives them back', async () => {
    const reply = await infer(request('sum', [2, 2], raw(1, 2, 3, 4), { id: 'mine' }));
    expect(reply).toMatchObject({
      model_name: 'sum',
      model_version: '1',
      id: 'mine',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 1], contents: null }],
    });
    expect(reply['raw_output_contents'].map(floats)).toEqual([[3, 7]]);
  });

  it('takes typed contents', async () => {
    const reply = await infer({ model_name: 'sum', inputs: [{ ...input([1, 2]), contents: { fp32_contents: [20, 22] } }] });
    expect(floats(reply['raw_output_contents'][0])).toEqual([42]);
  });

  it('of several inputs finds each at its place, whatever its alignment', async () => {
    const inputs = [input([3, 1], 'FP32', 'b'), input([3, 1], 'FP32', 'a')];
    for (let i = 0; i < 9; i++) {
      const reply = await infer({
        model_name: 'two',
        id: 'x'.repeat(i + 1),
        inputs,
        raw_input_contents: [raw(1, 2, 3), raw(10, 20, 30)],
        outputs: [{ name: 'again' }, { name: 'total' }],
      });
      expect(reply['outputs'].map(({ name }: { name: string }) => name)).toEqual(['again', 'total']);
      expect(reply['raw_output_contents'].map(floats)).toEqual([
        [1, 2, 3],
        [11, 22, 33],
      ]);
    }
  });

  it('of a large tensor is logged with what came, though its memory is used again', async () => {
    kit.predictions.length = 0;
    const rows = 50_000;
    const wide = (k: number): Buffer => raw(...Array.from({ length: rows * 2 }, (_, i) => i + k));
    const all = await Promise.all([1, 2, 3, 4].map((k) => infer(request('FP32', [rows, 2], wide(k), { id: `k-${k}` }))));
    expect(all.map((reply) => floats(reply['raw_output_contents'][0]).at(-1))).toEqual([1, 2, 3, 4].map((k) => rows * 2 - 1 + k));
    await until(() => kit.predictions.length === 4);
    for (const { requestId, features } of kit.predictions) expect(features[0]?.values[0]).toBe(Number(requestId.slice(2)));
  });

  it('carries an id and the time of the event in its metadata', async () => {
    kit.predictions.length = 0;
    const reply = await infer(request('sum', [1, 2], raw(1, 1)), { 'x-request-id': 'from-metadata', 'x-binnacle-event-time': '2001-05-03T14:05:00Z' });
    expect(reply['id']).toBe('from-metadata');
    await until(() => kit.predictions.length === 1);
    expect(kit.predictions[0]).toMatchObject({ requestId: 'from-metadata', eventTime: Date.UTC(2001, 4, 3, 14, 5) });
  });

  it.each<[string, object, string]>([
    ['an unknown model', request('nope', [1, 2], raw(1, 2)), "NOT_FOUND: Request for unknown model: 'nope' is not found"],
    [
      'a version that is not served',
      request('sum', [1, 2], raw(1, 2), { model_version: '9' }),
      "NOT_FOUND: Request for unknown model: 'sum' version 9 is not found",
    ],
    ['too few bytes', request('sum', [1, 2], raw(1)), "INVALID_ARGUMENT: input byte size mismatch for input 'x' for model 'sum'. Expected 8, got 4"],
    ['no data', { model_name: 'sum', inputs: [input([1, 2])] }, "INVALID_ARGUMENT: unable to find data for input tensor 'x' for model 'sum' in request."],
    [
      'more data than inputs',
      request('sum', [1, 2], raw(1, 2), { raw_input_contents: [raw(1, 2), raw(3)] }),
      "INVALID_ARGUMENT: unexpected additional input data: 2 raw_input_contents for 1 inputs of model 'sum'",
    ],
    [
      'data twice',
      { ...request('sum', [1, 2], raw(1, 2)), inputs: [{ ...input([1, 2]), contents: { fp32_contents: [1, 2] } }] },
      "INVALID_ARGUMENT: contents field must not be specified when using raw_input_contents for 'x' for model 'sum'",
    ],
    [
      'values of another type',
      { model_name: 'sum', inputs: [{ ...input([1, 2]), contents: { fp64_contents: [1, 2] } }] },
      "INVALID_ARGUMENT: unexpected explicit tensor data for input tensor 'x' for model 'sum' of type 'FP64', expected datatype 'FP32' (fp64_contents are given, FP32 has fp32_contents)",
    ],
    [
      'too few values',
      { model_name: 'sum', inputs: [{ ...input([1, 2]), contents: { fp32_contents: [1] } }] },
      "INVALID_ARGUMENT: unexpected number of values 1 in fp32_contents for input 'x', expecting 2",
    ],
    [
      'a value that does not fit',
      { model_name: 'INT8', inputs: [{ ...input([1, 2], 'INT8'), contents: { int_contents: [1, 200] } }] },
      "INVALID_ARGUMENT: input 'x', value 1: 200 does not fit INT8",
    ],
    ['BF16', { ...request('sum', [1, 2], raw(1)), inputs: [input([1, 2], 'BF16')] }, "UNIMPLEMENTED: input 'x': the runtime cannot exchange BF16; send FP32"],
    [
      'no datatype',
      { ...request('sum', [1, 2], raw(1)), inputs: [input([1, 2], 'FLOAT')] },
      expect.stringMatching(/^INVALID_ARGUMENT: invalid datatype for input x/),
    ],
    ['a negative dimension', request('sum', [-1, 2], raw(1, 2)), expect.stringMatching(/^INVALID_ARGUMENT: input 'x': \[-1,2\] is not a shape/)],
    ['a huge dimension', request('sum', [2 ** 62, 2], raw(1, 2)), expect.stringMatching(/^INVALID_ARGUMENT: input 'x': \[\d+,2\] is not a shape/)],
    [
      'an unknown output',
      request('sum', [1, 2], raw(1, 2), { outputs: [{ name: 'z' }] }),
      expect.stringMatching(/^INVALID_ARGUMENT: unexpected inference output 'z' for model 'sum'/),
    ],
    [
      'strings that are cut',
      { model_name: 'BYTES', inputs: [input([1, 2], 'BYTES')], raw_input_contents: [Buffer.from([5, 0, 0, 0, 65])] },
      expect.stringMatching(/^INVALID_ARGUMENT: incomplete string data for inference input 'x'/),
    ],
    ['an id that no header could carry', request('sum', [1, 2], raw(1, 2), { id: 'ä' }), expect.stringMatching(/^INVALID_ARGUMENT: The request's id/)],
  ])('refuses %s', async (_name, message, expected) => expect(await error(message)).toEqual(expected));

  it('counts what it refuses before the model sees it', async () => {
    kit.failures.length = 0;
    await error(request('sum', [1, 2], raw(1)));
    expect(kit.failures).toMatchObject([{ endpoint: 'sum', code: 'invalid_tensor' }]);
  });

  it('is refused where the queue is full, with the text that clients test for', async () => {
    const message = request('slow', [1, 256], Buffer.alloc(1024));
    const results = await Promise.all(Array.from({ length: 40 }, () => failure(infer(message))));
    expect(results).toContain('nothing');
    expect(results.find((text) => text !== 'nothing')).toBe('UNAVAILABLE: Exceeds maximum queue size');
  });
});

describe('a stream of inferences', () => {
  it('is answered in order, errors in the place of their request', async () => {
    const stream = rpc.stream('ModelStreamInfer');
    for (const [i, model] of ['sum', 'nope', 'sum', 'FP32'].entries()) stream.write(request(model, [1, 2], raw(i, 1), { id: `r${i}` }));
    stream.end();
    await stream.ended;
    expect(
      stream.got.map((reply) => [reply['error_message'], reply['infer_response'].id, reply['infer_response'].raw_output_contents.flatMap(floats)]),
    ).toEqual([
      ['', 'r0', [1]],
      ["Request for unknown model: 'nope' is not found", 'r1', []],
      ['', 'r2', [3]],
      ['', 'r3', [3, 1]],
    ]);
    expect(stream.got[0]?.['infer_response'].parameters).toMatchObject({ triton_final_response: { bool_param: true } });
  });

  it('ends with the status of an error when the client wants it so', async () => {
    const stream = rpc.stream('ModelStreamInfer', { triton_grpc_error: 'true' });
    stream.write(request('sum', [1, 2], raw(1, 1)));
    stream.write(request('nope', [1, 2], raw(1, 1)));
    expect(await failure(stream.ended)).toBe("NOT_FOUND: Request for unknown model: 'nope' is not found");
    expect(stream.got).toHaveLength(1);
  });

  it('stays open between requests', async () => {
    const stream = rpc.stream('ModelStreamInfer');
    for (let i = 0; i < 3; i++) {
      stream.write(request('sum', [1, 2], raw(i, i)));
      await until(() => stream.got.length === i + 1);
    }
    stream.end();
    await stream.ended;
  });
});
