import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOnnxRuntime } from '../../src/adapters/onnx/index.ts';
import { silentLogger } from '../../src/kernel/index.ts';
import { openInferenceGrpc } from '../../src/protocols/open-inference/index.ts';
import type { ModelRuntime, Tensor } from '../../src/serving/index.ts';
import { failure, type GrpcServerKit, type ProtoClient, protoClient, startGrpc } from '../support/grpc.ts';
import { identity, sum } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit, until } from '../support/serving.ts';

let kit: ServingKit;
let grpc: GrpcServerKit;
let rpc: ProtoClient;
beforeAll(async () => {
  kit = await servingKit();
  grpc = await startGrpc([openInferenceGrpc({ core: kit.core, logger: silentLogger })]);
  rpc = await protoClient('grpc_service.proto', 'inference.GRPCInferenceService', grpc.client());
  await kit.deploy('sum', sum(2));
  await kit.deploy('same', identity('FP32'));
});
afterAll(async () => {
  await grpc?.close();
  await kit?.close();
});

const raw = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
const request = (model: string, bytes: Buffer, more: object = {}) => ({
  model_name: model,
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }],
  raw_input_contents: [bytes],
  ...more,
});

it('every method of the service is there', async () => {
  const methods = 'ServerLive ServerReady ModelReady ServerMetadata ModelMetadata ModelInfer ModelConfig ModelStatistics RepositoryIndex '
    .concat('RepositoryModelLoad RepositoryModelUnload SystemSharedMemoryStatus SystemSharedMemoryRegister SystemSharedMemoryUnregister ')
    .concat('CudaSharedMemoryStatus CudaSharedMemoryUnregister TraceSetting LogSettings')
    .split(' ');
  const answers = await Promise.all(methods.map((name) => failure(rpc.call(name))));
  expect(answers.filter((answer) => answer.startsWith('UNIMPLEMENTED') || answer.startsWith('INTERNAL'))).toEqual([]);
  expect(await failure(rpc.call('CudaSharedMemoryRegister', { name: 'r' }))).toMatch(/^UNIMPLEMENTED: CUDA shared memory is not supported/);
});

describe('the configuration of a model', () => {
  it('has its enums, and maps by number', async () => {
    const { config } = await rpc.call('ModelConfig', { name: 'sum' });
    expect(config).toMatchObject({
      name: 'sum',
      platform: 'onnxruntime_onnx',
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [2] }],
      output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [1] }],
      instance_group: [{ kind: 'KIND_CPU', count: 1 }],
    });
    expect(await failure(rpc.call('ModelConfig', { name: 'nope' }))).toMatch(/^NOT_FOUND/);
  });
});

describe('statistics', () => {
  it('count what was answered and what failed', async () => {
    await kit.deploy('counted', sum(2));
    for (let i = 0; i < 3; i++) await rpc.call('ModelInfer', request('counted', raw(1, 2)));
    await failure(rpc.call('ModelInfer', { ...request('counted', raw(1, 2)), outputs: [{ name: 'z' }] }));
    const { model_stats } = await rpc.call('ModelStatistics', { name: 'counted' });
    expect(model_stats).toMatchObject([{ name: 'counted', version: '1', inference_count: 3, inference_stats: { success: { count: 3 }, fail: { count: 1 } } }]);
    expect(model_stats[0].inference_stats.success.ns).toBeGreaterThan(0);
    const memory = kit.serving.get('counted').versions[0]?.memoryBytes;
    expect(memory).toEqual(expect.any(Number));
    expect(model_stats[0].memory_usage).toEqual([{ type: 'CPU', id: 0, byte_size: memory }]);
    const all = await rpc.call('ModelStatistics');
    expect(all['model_stats'].map(({ name }: { name: string }) => name)).toContain('sum');
    expect(await failure(rpc.call('ModelStatistics', { name: 'nope' }))).toBe("INVALID_ARGUMENT: requested model 'nope' is not available");
  });
});

describe('the repository', () => {
  const stateOf = async (name: string): Promise<unknown> =>
    (await rpc.call('RepositoryIndex'))['models'].find((model: { name: string }) => model.name === name);

  it('unloads and loads, with a configuration', async () => {
    await kit.deploy('moved', sum(2));
    expect(await stateOf('moved')).toMatchObject({ version: '1', state: 'READY' });
    await rpc.call('RepositoryModelUnload', { model_name: 'moved', parameters: { unload_dependents: { bool_param: true } } });
    expect(await stateOf('moved')).toMatchObject({ state: 'UNAVAILABLE', reason: 'unloaded' });
    expect(await rpc.call('ModelReady', { name: 'moved' })).toEqual({ ready: false });
    expect((await rpc.call('RepositoryIndex', { ready: true }))['models'].map(({ name }: { name: string }) => name)).not.toContain('moved');
    await rpc.call('RepositoryModelLoad', { model_name: 'moved', parameters: { config: { string_param: '{"max_batch_size": 4}' } } });
    expect((await rpc.call('ModelConfig', { name: 'moved' }))['config'].max_batch_size).toBe(4);
    expect(await rpc.call('ModelReady', { name: 'moved' })).toEqual({ ready: true });
  });

  it.each([
    [{ model_name: 'nope' }, "INVALID_ARGUMENT: failed to load 'nope', failed to poll from model repository"],
    [
      { model_name: 'sum', parameters: { config: { bool_param: true } } },
      "INVALID_ARGUMENT: invalid value type for load parameter 'config', expected string_param.",
    ],
    [
      { model_name: 'sum', parameters: { 'file:1/model.onnx': { string_param: 'x' } } },
      "INVALID_ARGUMENT: invalid value type for load parameter 'file:1/model.onnx', expected bytes_param.",
    ],
    [{ model_name: 'sum', parameters: { other: { bool_param: true } } }, "INVALID_ARGUMENT: unrecognized load parameter 'other'."],
  ])('refuses the load %j', async (message, expected) => expect(await failure(rpc.call('RepositoryModelLoad', message))).toBe(expected));

  it('refuses a wrong unload_dependents and an unknown repository', async () => {
    expect(await failure(rpc.call('RepositoryModelUnload', { model_name: 'sum', parameters: { unload_dependents: { int64_param: 1 } } }))).toBe(
      "INVALID_ARGUMENT: invalid value type for 'unload_dependents' parameter, expected bool_param.",
    );
    expect(await failure(rpc.call('RepositoryIndex', { repository_name: 'elsewhere' }))).toMatch(/^NOT_FOUND: there is no model repository 'elsewhere'/);
  });
});

describe('shared memory', () => {
  const key = mkdtempSync('/dev/shm/binnacle-test-').slice('/dev/shm'.length);
  // A key names a file right below /dev/shm.
  const name = `${key}-file`;
  afterAll(() => {
    rmSync(`/dev/shm${key}`, { recursive: true, force: true });
    rmSync(`/dev/shm${name}`, { force: true });
  });

  it('holds inputs and takes outputs', async () => {
    writeFileSync(join('/dev/shm', name), Buffer.concat([raw(20, 22), Buffer.alloc(8)]));
    await rpc.call('SystemSharedMemoryRegister', { name: 'r', key: name, byte_size: 16 });
    expect(await rpc.call('SystemSharedMemoryStatus', { name: 'r' })).toEqual({ regions: { r: { name: 'r', key: name, offset: 0, byte_size: 16 } } });
    const span = (offset: number, size: number) => ({
      shared_memory_region: { string_param: 'r' },
      shared_memory_byte_size: { int64_param: size },
      shared_memory_offset: { int64_param: offset },
    });
    const reply = await rpc.call('ModelInfer', {
      model_name: 'sum',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], parameters: span(0, 8) }],
      outputs: [{ name: 'y', parameters: span(8, 4) }],
    });
    expect(reply).toMatchObject({
      outputs: [{ name: 'y', parameters: { shared_memory_region: { string_param: 'r' }, shared_memory_offset: { int64_param: 8 } } }],
    });
    expect(reply['raw_output_contents'].map((bytes: Buffer) => bytes.length)).toEqual([0]);
    expect(readFileSync(join('/dev/shm', name)).readFloatLE(8)).toBe(42);
    expect(await failure(rpc.call('SystemSharedMemoryRegister', { name: 'r', key: name, byte_size: 16 }))).toBe(
      "ALREADY_EXISTS: shared memory region 'r' already in manager",
    );
    const both = { ...request('sum', raw(1, 2)), outputs: [{ name: 'y', parameters: { ...span(8, 4), classification: { int64_param: 1 } } }] };
    expect(await failure(rpc.call('ModelInfer', both))).toBe("INVALID_ARGUMENT: output 'y' can't set both 'shared_memory_region' and 'classification'");
    await rpc.call('SystemSharedMemoryUnregister', { name: '' });
    expect(await rpc.call('SystemSharedMemoryStatus')).toEqual({ regions: {} });
  });
});

describe('settings', () => {
  it('of traces are told, changed and set back', async () => {
    const first = (await rpc.call('TraceSetting'))['settings'];
    expect(first).toMatchObject({ trace_level: { value: ['OFF'] }, trace_rate: { value: ['1000'] } });
    const changed = await rpc.call('TraceSetting', { model_name: 'sum', settings: { trace_level: { value: ['TIMESTAMPS'] }, trace_rate: { value: ['5'] } } });
    expect(changed['settings']).toMatchObject({ trace_level: { value: ['TIMESTAMPS'] }, trace_rate: { value: ['5'] } });
    expect((await rpc.call('TraceSetting', { model_name: 'sum' }))['settings']).toMatchObject({ trace_rate: { value: ['5'] } });
    expect((await rpc.call('TraceSetting'))['settings']).toEqual(first);
    const back = await rpc.call('TraceSetting', { model_name: 'sum', settings: { trace_rate: { value: [] } } });
    expect(back['settings']).toMatchObject({ trace_rate: { value: ['1000'] } });
    expect(await failure(rpc.call('TraceSetting', { settings: { trace_rate: { value: ['often'] } } }))).toMatch(
      /^INVALID_ARGUMENT: Unable to parse 'trace_rate', got: often/,
    );
  });

  it('of the log are told and changed', async () => {
    expect((await rpc.call('LogSettings'))['settings']).toMatchObject({ log_info: { bool_param: true }, log_verbose_level: { uint32_param: 0 } });
    const changed = await rpc.call('LogSettings', { settings: { log_verbose_level: { uint32_param: 2 }, log_info: { bool_param: false } } });
    expect(changed['settings']).toMatchObject({
      log_info: { bool_param: false },
      log_verbose_level: { uint32_param: 2 },
      log_format: { string_param: 'default' },
    });
    expect(await failure(rpc.call('LogSettings', { settings: { log_info: { string_param: 'yes' } } }))).toMatch(/^INVALID_ARGUMENT: .*log_info/);
  });
});

describe('a request', () => {
  it('for classes gets the best of them', async () => {
    const reply = await rpc.call('ModelInfer', { ...request('same', raw(1, 9)), outputs: [{ name: 'y', parameters: { classification: { int64_param: 1 } } }] });
    expect(reply['outputs']).toMatchObject([{ name: 'y', datatype: 'BYTES', shape: [1, 1] }]);
    const [bytes] = reply['raw_output_contents'] as [Buffer];
    expect(bytes.subarray(4).toString()).toMatch(/^9\.?0*:1$/);
    expect(bytes.readUInt32LE(0)).toBe(bytes.length - 4);
  });

  it.each([
    [{ priority: { string_param: 'x' } }, 'priority'],
    [{ timeout: { int64_param: -5 } }, 'timeout'],
    [{ sequence_start: { int64_param: 1 }, sequence_id: { int64_param: 3 } }, 'sequence_start'],
  ])('with the parameters %j is refused by their name', async (parameters, name) => {
    expect(await failure(rpc.call('ModelInfer', request('sum', raw(1, 2), { parameters })))).toMatch(new RegExp(`^INVALID_ARGUMENT: .*'${name}'`));
  });

  it('takes what the protocol allows', async () => {
    const parameters = {
      priority: { uint64_param: 2 },
      timeout: { int64_param: 10_000_000 },
      custom: { double_param: 0.5 },
      triton_enable_empty_final_response: { bool_param: true },
    };
    expect((await rpc.call('ModelInfer', request('sum', raw(1, 2), { parameters })))['raw_output_contents'][0].readFloatLE(0)).toBe(3);
  });
});

describe('a request that nobody waits for', () => {
  let held: ServingKit;
  let own: GrpcServerKit;
  let client: ProtoClient;
  let asked = 0;
  let runs = 0;
  let gate = Promise.withResolvers<void>();
  beforeAll(async () => {
    const real = createOnnxRuntime();
    const runtime: ModelRuntime = {
      async load(file, options) {
        const model = await real.load(file, { ...options, tier: 'inline' });
        return {
          ...model,
          tier: 'worker',
          slots: 1,
          close: () => model.close(),
          async execute(inputs: Tensor[], outputs: string[]) {
            runs++;
            await gate.promise;
            return model.execute(inputs, outputs);
          },
        };
      },
    };
    held = await servingKit({ runtime });
    const { version } = await held.registry.add('one', sum(2));
    await held.serving.deploy('one', { model: 'one', traffic: [{ version, weight: 100, shadow: false }], config: { batching: { enabled: 'off' } } });
    const infer: typeof held.core.infer = (...args) => {
      asked++;
      return held.core.infer(...args);
    };
    own = await startGrpc([openInferenceGrpc({ core: { ...held.core, infer }, logger: silentLogger })]);
    client = await protoClient('grpc_service.proto', 'inference.GRPCInferenceService', own.client());
  });
  beforeEach(() => {
    asked = 0;
    runs = 0;
    held.failures.length = 0;
    gate = Promise.withResolvers<void>();
  });
  afterAll(async () => {
    await own?.close();
    await held?.close();
  });
  const ask = (options = {}) => failure(client.call('ModelInfer', request('one', raw(1, 2)), options));

  it('because its deadline is over leaves the queue and is never run', async () => {
    const first = ask();
    await until(() => runs === 1);
    expect(await ask({ deadlineMs: 50 })).toMatch(/^DEADLINE_EXCEEDED/);
    await until(() => held.failures.length === 1);
    const last = ask();
    gate.resolve();
    expect(await Promise.all([first, last])).toEqual(['nothing', 'nothing']);
    expect(runs).toBe(2);
  });

  it('because its stream was cancelled leaves the queue, too', async () => {
    const first = ask();
    await until(() => runs === 1);
    const stream = client.stream('ModelStreamInfer');
    for (let i = 0; i < 3; i++) stream.write(request('one', raw(i, i)));
    await until(() => asked === 4);
    stream.cancel();
    await until(() => held.failures.length === 3);
    const last = ask();
    gate.resolve();
    expect(await Promise.all([first, last])).toEqual(['nothing', 'nothing']);
    expect(runs).toBe(2);
  });
});
