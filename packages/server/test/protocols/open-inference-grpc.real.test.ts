import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { grpcHealth } from '../../src/protocols/grpc-health/index.ts';
import { openInferenceGrpc } from '../../src/protocols/open-inference/index.ts';
import { silentLogger } from '../../src/kernel/index.ts';
import { type GrpcServerKit, startGrpc } from '../support/grpc.ts';
import { identity, sum } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';

const python = fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));
const TYPES = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'INT8', 'INT16', 'INT32', 'INT64', 'UINT64', 'FP16', 'FP32', 'FP64', 'BYTES'];

let kit: ServingKit;
let open: GrpcServerKit;
let guarded: GrpcServerKit;
beforeAll(async () => {
  kit = await servingKit();
  const services = [
    openInferenceGrpc({ core: kit.core, logger: silentLogger }),
    grpcHealth({ serving: kit.serving, services: ['inference.GRPCInferenceService'] }),
  ];
  open = await startGrpc(services);
  guarded = await startGrpc(services, { token: 'a-token' });
  await kit.deploy('sum', sum(2));
  for (const type of TYPES) await kit.deploy(type, identity(type));
});
afterAll(async () => {
  await open?.close();
  await guarded?.close();
  await kit?.close();
});

async function run(script: string, ...args: string[]) {
  const { stdout } = await promisify(execFile)(python, [fileURLToPath(new URL(`./python/${script}`, import.meta.url)), ...args], { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout);
}

it('an unmodified tritonclient.grpc is answered as by Triton', async () => {
  const seen = await run('triton_grpc_client.py', open.target);
  expect(seen).toMatchObject({
    live: true,
    ready: true,
    model_ready: [true, true, false, false],
    server: 'binnacle',
    model: {
      name: 'sum',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '2'] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: ['-1', '1'] }],
    },
    sum: [3, 7],
    packed: { gzip: [3, 7], deflate: [3, 7] },
    timed: [3, 7],
    all: [[42]],
    same: Object.fromEntries(TYPES.map((type) => [type, true])),
    large: true,
    stream: [['6', [7], true], "Request for unknown model: 'nope' is not found", ['8', [9], true]],
    stream_order: true,
    stream_error: "StatusCode.NOT_FOUND Request for unknown model: 'nope' is not found",
    cancelled: true,
  });
  expect(seen.errors).toEqual({
    unknown: "StatusCode.NOT_FOUND Request for unknown model: 'nope' is not found",
    shape: expect.stringContaining("StatusCode.INVALID_ARGUMENT unexpected shape for input 'x' for model 'sum'. Expected [-1,2], got [1,3]"),
    datatype: "StatusCode.INVALID_ARGUMENT inference input 'x' data-type is 'FP64', but model 'sum' expects 'FP32'",
    version: "StatusCode.NOT_FOUND Request for unknown model: 'sum' version 9 is not found",
    version_text: "StatusCode.INVALID_ARGUMENT failed to get model version from specified version string 'latest', version should be an integral value > 0",
    deadline: expect.stringMatching(/^StatusCode\.DEADLINE_EXCEEDED .*Deadline Exceeded/),
  });
});

it('tritonclient.grpc.aio, tokens, typed contents and the health service work', async () => {
  expect(await run('triton_grpc_aio.py', open.target, guarded.target, 'a-token')).toEqual({
    aio: [3, 7],
    together: true,
    stream: [[1], [3], [5]],
    stream_cancelled: true,
    refused: expect.stringMatching(/^StatusCode.UNAUTHENTICATED A token is required/),
    admitted: [3, 7],
    live_without: true,
    typed: Object.fromEntries(TYPES.filter((type) => type !== 'FP16').map((type) => [type, true])),
    typed_fp16: expect.stringContaining('FP16 has no typed contents'),
    health: { '': 1, sum: 1, 'inference.GRPCInferenceService': 1 },
    health_unknown: 'StatusCode.NOT_FOUND',
    watched: 1,
    missing: 'StatusCode.UNIMPLEMENTED',
  });
});

it('the control methods of tritonclient.grpc work, shared memory included', async () => {
  expect(await run('triton_grpc_control.py', open.target)).toEqual({
    extensions: expect.arrayContaining(['classification', 'model_repository', 'system_shared_memory', 'statistics', 'trace', 'logging']),
    config: ['sum', 'onnxruntime_onnx', [['x', 11, [2]]], 2],
    statistics: ['sum', '1', expect.any(Number), expect.any(Number)],
    classes: ['1', '0'],
    index: ['BOOL'],
    unloaded: false,
    loaded: [true, 16],
    wrong_config: expect.stringMatching(/^StatusCode.INVALID_ARGUMENT failed to load 'sum'/),
    wrong_model: "StatusCode.INVALID_ARGUMENT failed to load 'wrong_model_name', failed to poll from model repository",
    regions: { data: ['/binnacle_grpc_test', 0, 80] },
    in_memory: ['data', [3, 7]],
    words: ['größe', 'x'],
    registered_twice: "StatusCode.ALREADY_EXISTS shared memory region 'data' already in manager",
    regions_after: 0,
    cuda: expect.stringMatching(/^StatusCode.UNIMPLEMENTED CUDA shared memory is not supported/),
    trace: { value: ['7'] },
    trace_back: { value: ['1000'] },
    log: { uint32_param: 1 },
    timeout: [3, 7],
  });
});
