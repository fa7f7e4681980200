import { expect, test } from 'vitest';
import { readMlmodel } from './mlmodel.ts';

const MLMODEL = `artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    python_version: 3.12.3
  sklearn:
    code: null
    pickled_model: model.pkl
    sklearn_version: 1.5.0
mlflow_version: 3.1.0
model_size_bytes: 1234
model_uuid: 'it''s'
run_id: abc
signature:
  inputs: '[{"type": "double", "name": "sepal length (cm)", "required": true}, {"type":
    "double", "name": "it''s", "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: null
utc_time_created: '2025-01-02 03:04:05.678'
`;
test('flavors, signature and the texts beside them', () => {
  const model = readMlmodel(MLMODEL);
  expect(model?.flavors.map(({ name }) => name)).toEqual(['python_function', 'sklearn']);
  expect(model?.flavors[1]?.fields).toEqual([
    ['pickled_model', 'model.pkl'],
    ['sklearn_version', '1.5.0'],
  ]);
  expect(model?.inputs).toEqual([
    { name: 'sepal length (cm)', type: 'double' },
    { name: "it's", type: 'double, optional' },
  ]);
  expect(model?.outputs).toEqual([{ name: '0', type: 'int64 [-1]' }]);
  expect(Object.fromEntries(model?.fields ?? [])).toMatchObject({ mlflow_version: '3.1.0', model_uuid: "it's", utc_time_created: '2025-01-02 03:04:05.678' });
});
test('what is no MLmodel has no summary, and a signature that cannot be read none', () => {
  expect(readMlmodel('hello\nworld: 1\n')).toBeUndefined();
  expect(readMlmodel("flavors:\n  onnx:\n    x: 1\nsignature:\n  inputs: '[{'\n")).toMatchObject({ inputs: undefined });
});
