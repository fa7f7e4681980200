import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { identity, sum } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';

const python = fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));
const script = fileURLToPath(new URL('./python/triton_client.py', import.meta.url));
const TYPES = ['BOOL', 'UINT8', 'INT8', 'INT16', 'INT32', 'INT64', 'UINT64', 'FP16', 'FP32', 'FP64', 'BYTES'];

let kit: ServingKit;
beforeAll(async () => {
  kit = await servingKit();
  await kit.deploy('sum', sum(2));
  for (const type of TYPES) await kit.deploy(type, identity(type));
});
afterAll(() => kit.close());

it('the unmodified tritonclient works: JSON, binary, packed, every datatype, large and concurrent requests, errors', async () => {
  const { stdout } = await promisify(execFile)(python, [script, kit.url.replace('http://', '')], { timeout: 120_000 });
  const seen = JSON.parse(stdout);
  expect(seen).toMatchObject({
    live: true,
    ready: true,
    model_ready: true,
    version_ready: true,
    server: ['binary_tensor_data'],
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
