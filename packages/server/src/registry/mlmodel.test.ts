import { expect, it } from 'vitest';
import { MAX_MLMODEL_BYTES, mlModelOfGraph, parseMlModel } from './mlmodel.ts';

const withFlavor = (lines: string) => `flavors:\n  onnx:\n    data: model.onnx\n${lines}`;

it('a column signature keeps names, types and what is required', () => {
  const model = parseMlModel(
    withFlavor(
      `run_id: abc\nmetadata:\n  label: late\n  nested: {a: [1, 2]}\nsignature:\n  inputs: '[{"type":"long","name":"hour","required":true},{"type":"string","name":"origin","required":false},{"type":"double","name":"old","optional":true}]'\n  outputs: '[{"name":"p","type":"tensor","tensor-spec":{"dtype":"float32","shape":[-1,2]}}]'\n  params: null\n`,
    ),
  );
  expect(model).toEqual({
    flavors: ['onnx'],
    onnxData: 'model.onnx',
    remote: null,
    ensemble: null,
    signature: {
      inputs: [
        { name: 'hour', type: 'long', required: true },
        { name: 'origin', type: 'string', required: false },
        { name: 'old', type: 'double', required: false },
      ],
      outputs: [{ name: 'p', type: 'FP32', shape: [-1, 2] }],
    },
    metadata: { label: 'late', nested: '{"a":[1,2]}' },
    runId: 'abc',
  });
});

it.each([
  ['int64', 'INT64'],
  ['float64', 'FP64'],
  ['bool', 'BOOL'],
  ['object', 'BYTES'],
  ['<U12', 'BYTES'],
  ['str', 'BYTES'],
  ['float16', 'FP16'],
  ['complex64', 'COMPLEX64'],
])('the tensor type %s is %s', (dtype, datatype) => {
  const model = parseMlModel(withFlavor(`signature:\n  inputs: '[{"type":"tensor","tensor-spec":{"dtype":"${dtype}","shape":[-1,3]}}]'\n`));
  expect(model.signature?.inputs).toEqual([{ name: '', type: datatype, shape: [-1, 3] }]);
});

it('nested column types are written out', () => {
  const model = parseMlModel(
    withFlavor(
      `signature:\n  inputs: '[{"name":"a","type":"array","items":{"type":"array","items":{"type":"double"}}},{"name":"m","type":"map","values":{"type":"string"}},{"name":"o","type":"object","properties":{}}]'\n`,
    ),
  );
  expect(model.signature?.inputs.map(({ type }) => type)).toEqual(['array<array<double>>', 'map<string>', 'object']);
});

it('a model without ONNX flavour and without signature is read as such', () => {
  expect(parseMlModel('flavors:\n  sklearn:\n    pickled_model: model.pkl\n  python_function: {}\nsignature: null\n')).toMatchObject({
    flavors: ['sklearn', 'python_function'],
    onnxData: null,
    signature: null,
  });
});

it.each([
  ['not YAML', 'a: [1', 'not YAML'],
  ['a list', '- 1\n- 2\n', 'names no flavors'],
  ['empty', '', 'names no flavors'],
  [
    'a bomb of aliases',
    'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nflavors: {onnx: {data: *d}}\n',
    'not YAML',
  ],
  ['nested a hundred thousand deep', `flavors: ${'['.repeat(100_000)}`, 'MLmodel file is not usable'],
  ['a path out of the package', 'flavors:\n  onnx:\n    data: ../../secret.onnx\n', "contains '..'"],
  ['an absolute path', 'flavors:\n  onnx:\n    data: /etc/passwd\n', 'is absolute'],
  ['an escaped path', 'flavors:\n  onnx:\n    data: "%2e%2e%2fx"\n', "contains '..'"],
  ['a Windows path', 'flavors:\n  onnx:\n    data: "..\\\\x"\n', 'backslash'],
  ['a signature that is not JSON', withFlavor("signature:\n  inputs: '[{'\n"), 'inputs of its signature do not parse'],
  ['a signature that is no list', withFlavor("signature:\n  inputs: '{}'\n"), 'must be a list'],
  ['a tensor without shape', withFlavor(`signature:\n  inputs: '[{"type":"tensor","tensor-spec":{"dtype":"float32"}}]'\n`), 'no dtype and shape'],
])('%s is refused and says so', (_what, text, message) => {
  expect(() => parseMlModel(text)).toThrow(message);
});

it('a type nested without end is refused', () => {
  const nested = (depth: number): object => (depth === 0 ? { type: 'double' } : { type: 'array', items: nested(depth - 1) });
  expect(() => parseMlModel(withFlavor(`signature:\n  inputs: '${JSON.stringify([{ name: 'x', ...nested(50) }])}'\n`))).toThrow('nested too deeply');
});

it('a file made of keys takes no time to speak of', () => {
  const started = performance.now();
  expect(parseMlModel(`flavors:\n  onnx: {}\n${Array.from({ length: 20_000 }, (_, i) => `k${i}: 1\n`).join('')}`).flavors).toEqual(['onnx']);
  expect(performance.now() - started).toBeLessThan(5000);
});

it('a huge file is refused before it is parsed', () => {
  expect(() => parseMlModel('a'.repeat(MAX_MLMODEL_BYTES + 1))).toThrow('longer than');
});

it('tags of YAML make no objects, and __proto__ changes nothing', () => {
  expect(() => parseMlModel('flavors: !!js/function "function(){}"')).toThrow('names no flavors');
  parseMlModel('flavors:\n  onnx: {}\nmetadata:\n  __proto__: {polluted: 1}\n');
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

it('the file written for a bare graph is read back with a signature of columns', () => {
  const text = mlModelOfGraph(
    'm.onnx',
    {
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [-1, 1] },
        { name: 'city', datatype: 'BYTES', shape: [-1] },
      ],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
    },
    { runId: null, sizeBytes: 1, createdAt: 0 },
  );
  expect(parseMlModel(text)).toMatchObject({
    onnxData: 'm.onnx',
    flavors: ['onnx', 'python_function'],
    signature: {
      inputs: [
        { name: 'x', type: 'double', required: true },
        { name: 'city', type: 'string', required: true },
      ],
      outputs: [{ name: 'y', type: 'FP32', shape: [-1, 2] }],
    },
  });
});

it('a graph that takes a matrix gets a tensor signature', () => {
  const text = mlModelOfGraph(
    'm.onnx',
    { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 30] }], outputs: [{ name: 'label', datatype: 'BYTES', shape: [-1] }] },
    { runId: 'r', sizeBytes: 1, createdAt: 0 },
  );
  expect(parseMlModel(text)).toMatchObject({
    runId: 'r',
    signature: { inputs: [{ name: 'x', type: 'FP32', shape: [-1, 30] }], outputs: [{ name: 'label', type: 'BYTES', shape: [-1] }] },
  });
});
