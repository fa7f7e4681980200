import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { byteKeeper } from '../support/byte-keeper.ts';
import { identity, sum } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';

const python = fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));
const script = (name: string) => fileURLToPath(new URL(`./python/${name}.py`, import.meta.url));
const drive = async (name: string, url: string) => {
  const { stdout } = await promisify(execFile)(python, [script(name), url.replace('http://', '')], { timeout: 120_000 });
  return JSON.parse(stdout);
};
const TYPES = ['BOOL', 'UINT8', 'INT8', 'INT16', 'INT32', 'INT64', 'UINT64', 'FP16', 'FP32', 'FP64', 'BYTES'];

let kit: ServingKit;
beforeAll(async () => {
  kit = await servingKit({ runtimes: { remote: byteKeeper() } });
  await kit.deployOther('keeps', { kind: 'remote', protocol: 'open-inference', url: 'http://127.0.0.1:1', model: 'keeps' });
  await kit.deploy('sum', sum(2));
  for (const type of TYPES) await kit.deploy(type, identity(type));
});
afterAll(() => kit.close());

it('the unmodified tritonclient works: JSON, binary, packed, every datatype, large and concurrent requests, errors', async () => {
  const seen = await drive('triton_client', kit.url);
  expect(seen).toMatchObject({
    live: true,
    ready: true,
    model_ready: true,
    version_ready: true,
    server: expect.arrayContaining(['binary_tensor_data', 'system_shared_memory', 'model_repository', 'statistics', 'trace', 'logging']),
    model: { name: 'sum', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] },
    sum: { TrueTrue: [3, 7], TrueFalse: [3, 7], FalseTrue: [3, 7], FalseFalse: [3, 7] },
    packed: { gzip: [3, 7], deflate: [3, 7] },
    all: [[42]],
    same: Object.fromEntries(TYPES.map((type) => [type, true])),
    large: true,
  });
  expect(seen.errors).toEqual({
    unknown: "404 Request for unknown model: 'nope' is not found",
    shape: "400 unexpected shape for input 'x' for model 'sum'. Expected [-1,2], got [1,3]",
    datatype: "400 inference input 'x' data-type is 'FP64', but model 'sum' expects 'FP32'",
    version: "404 Request for unknown model: 'sum' version 9 is not found",
  });
});

it('every extension works with the unmodified tritonclient', async () => {
  const seen = await drive('triton_extensions', kit.url);
  expect(seen).toMatchObject({
    classes: [
      ['2.000000:1', '1.000000:0'],
      ['4.000000:1', '3.000000:0'],
    ],
    parameters: [3, 7],
    string_sequence: [3, 7],
    regions: [
      { name: 'input', key: '/binnacle_in', offset: 0, byte_size: 16 },
      { name: 'output', key: '/binnacle_out', offset: 0, byte_size: 64 },
    ],
    memory: [3, 7],
    memory_output: { shape: [2, 1], datatype: 'FP32', data: false },
    regions_left: [],
    no_region: "404 Unable to find shared memory region: 'input'",
    raw_strings: true,
    raw_strings_onnx: expect.stringMatching(/^400 input 'x' for model 'BYTES': string 1/),
    unloaded: false,
    loaded: true,
    config: { name: 'sum', max_batch_size: 8, dynamic_batching: { max_queue_delay_microseconds: 100 } },
    load_unknown: "400 failed to load 'nope', failed to poll from model repository",
    load_files: expect.stringMatching(/^501 failed to load 'sum': it comes from the registry/),
    statistics: ['FP32', '1', true, true],
    all_statistics: true,
    trace: ['TIMESTAMPS'],
    model_trace: '3',
    trace_now: '3',
    trace_off: ['OFF'],
    log: 1,
    log_now: { log_file: '', log_info: true, log_verbose_level: 1, log_format: 'default' },
    cuda: [[], expect.stringMatching(/^501 CUDA shared memory is not supported/)],
  });
  expect(seen.index).toEqual(expect.arrayContaining(['sum', 'keeps', ...TYPES]));
});

it('the asynchronous client works', async () => {
  expect(await drive('triton_aio', kit.url)).toEqual({
    live: [true, true, true],
    metadata: 'onnxruntime_onnx',
    config: 'onnxruntime',
    index: true,
    many: true,
    packed: [4, 4],
    statistics: 'sum',
    unloaded: false,
    again: 42,
  });
});
