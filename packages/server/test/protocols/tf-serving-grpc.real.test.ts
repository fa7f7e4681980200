import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tfServingGrpc } from '../../src/protocols/tf-serving/index.ts';
import { type GrpcServerKit, startGrpc } from '../support/grpc.ts';
import { classifier, classifierAndValue, identity, sum, twoColumns } from '../support/onnx-graphs.ts';
import { type ServingKit, servingKit } from '../support/serving.ts';

const python = fileURLToPath(new URL('../../../../.cache/venv-tf/bin/python', import.meta.url));
const TYPES = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64'];

let kit: ServingKit;
let server: GrpcServerKit;
beforeAll(async () => {
  kit = await servingKit();
  server = await startGrpc(tfServingGrpc({ serving: kit.serving, maxTensorBytes: 64 * 2 ** 20 }));
  await kit.deploy('sum', sum(2));
  await kit.deploy('two', twoColumns());
  await kit.deploy('classifier', classifier());
  await kit.deploy('both', classifierAndValue());
  await kit.deploy('table', sum(2), { inputs: ['a', 'b'].map((name) => ({ name, type: 'double' })), outputs: [] });
  for (const type of [...TYPES, 'BYTES']) await kit.deploy(type, identity(type));
  const versions = [await kit.registry.add('many', sum(1)), await kit.registry.add('many', sum(1, 10))].map(({ version }) => version);
  await kit.registry.move('many', 'canary', 2);
  await kit.serving.deploy('many', { model: 'many', traffic: versions.map((version, i) => ({ version, weight: i === 0 ? 100 : 0, shadow: i === 1 })) });
});
afterAll(async () => {
  await server?.close();
  await kit?.close();
});

it('an unmodified tensorflow-serving-api is answered as by TensorFlow Serving', async () => {
  const script = fileURLToPath(new URL('./python/tf_serving_client.py', import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, server.target], { maxBuffer: 2 ** 24, timeout: 200_000 });
  expect(JSON.parse(stdout)).toEqual({
    sum: { y: [[3]] },
    spec: ['sum', 1, 'serving_default'],
    float_val: [3],
    pinned: [[[1]], [[10]], [[10]], [[1]]],
    filtered: { again: [[2]] },
    gzip: { y: [[3]] },
    types: Object.fromEntries(TYPES.map((type) => [type, true])),
    strings: true,
    splat: [
      1,
      [
        [7, 7],
        [7, 7],
        [7, 7],
      ],
    ],
    large: true,
    classify: [
      [
        ['0', 0.731],
        ['1', 0.269],
      ],
      [
        ['0', 0.5],
        ['1', 0.5],
      ],
    ],
    classify_spec: ['classifier', 1, 'serving_default'],
    regress: [3, 10],
    regress_table: [3.5],
    multi: [
      ['classification', ['0', '1']],
      ['regression', [2]],
    ],
    multi_twice: ['INVALID_ARGUMENT', 'Duplicate evaluation of signature: classification'],
    metadata: {
      version: 1,
      method: 'tensorflow/serving/predict',
      inputs: { a: ['a', 'float32', [-1, 1]], b: ['b', 'float32', [-1, 1]] },
      outputs: ['again', 'total'],
    },
    metadata_field: ['INVALID_ARGUMENT', 'Metadata field other is not supported'],
    status: [
      [2, 'AVAILABLE', 0],
      [1, 'AVAILABLE', 0],
    ],
    status_unknown: ['NOT_FOUND', 'Could not find any versions of model nobody'],
    reload: ['UNIMPLEMENTED', expect.stringContaining('models come from the registry')],
    errors: {
      unknown: ['NOT_FOUND', 'Servable not found for request: Latest(nobody)'],
      version: ['NOT_FOUND', 'Servable not found for request: Specific(sum, 9)'],
      label: ['INVALID_ARGUMENT', 'Unrecognized servable version label: none'],
      signature: ['FAILED_PRECONDITION', 'Serving signature key "other" not found.'],
      missing: ['INVALID_ARGUMENT', 'input size does not match signature: 1!=2 len({a}) != len({a,b}). Sent extra: {}. Missing but required: {b}.'],
      other: ['INVALID_ARGUMENT', 'input tensor alias not found in signature: z. Inputs expected to be in the set {x}.'],
      output: ['INVALID_ARGUMENT', 'output tensor alias not found in signature: z Outputs expected to be in the set {y}.'],
      dtype: ['UNIMPLEMENTED', expect.stringContaining('tensorflow.DataType')],
      datatype: ['INVALID_ARGUMENT', expect.stringContaining("data-type is 'FP64'")],
      splat: ['INVALID_ARGUMENT', expect.stringContaining('that all inputs of a request may have together')],
      empty: ['INVALID_ARGUMENT', 'Input is empty.'],
      spec: ['INVALID_ARGUMENT', 'Missing ModelSpec'],
    },
  });
}, 240_000);
