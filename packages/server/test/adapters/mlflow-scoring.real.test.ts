import { afterAll, beforeAll, expect, it } from 'vitest';
import { remoteRuntime } from '../../src/compose/remote-models.ts';
import type { Signature } from '../../src/registry/index.ts';
import type { LoadedModel } from '../../src/serving/index.ts';
import { packageOf, packageRuntimeSuite, tensor } from '../ports/package-runtime.suite.ts';
import { freePort, pythonServer, type PythonServer } from '../support/python-server.ts';

/** `mlflow models serve` over a pyfunc that is made here. */
async function serve(prepare: string): Promise<{ port: number; server: PythonServer }> {
  const port = await freePort();
  const server = await pythonServer({
    environment: 'venv',
    program: 'mlflow',
    args: (dir) => ['models', 'serve', '-m', `${dir}/model`, '--env-manager', 'local', '--host', '127.0.0.1', '--port', String(port)],
    files: {},
    prepare,
    ready: `http://127.0.0.1:${port}/ping`,
  });
  return { port, server };
}

const TENSOR = `import mlflow, numpy as np
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec
class Same(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return {"y": model_input["x"]}
s = Schema([TensorSpec(np.dtype("float32"), (-1, 2), "x")])
o = Schema([TensorSpec(np.dtype("float32"), (-1, 2), "y")])
mlflow.pyfunc.save_model("model", python_model=Same(), signature=ModelSignature(s, o))
`;
packageRuntimeSuite('MLflow scoring, mlflow models serve', {
  protocol: 'mlflow',
  scheme: 'http',
  namesModels: false,
  async start() {
    const { port, server } = await serve(TENSOR);
    const side = (name: string) => [{ name, type: 'FP32', shape: [-1, 2] }];
    return { port, models: { FP32: 'same' }, signature: () => ({ inputs: side('x'), outputs: side('y') }), stop: () => server.stop() };
  },
});

const COLUMNS = `import mlflow, pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
kinds = ["boolean", "integer", "long", "float", "double", "string"]
class Same(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        out = model_input.copy()
        out["double"] = out["double"] * (params or {}).get("factor", 1.0)
        return out
s = Schema([ColSpec(k, k, required=(k != "double")) for k in kinds])
mlflow.pyfunc.save_model("model", python_model=Same(), signature=ModelSignature(s, s, ParamSchema([ParamSpec("factor", "double", 1.0)])))
`;
const kinds = ['boolean', 'integer', 'long', 'float', 'double', 'string'];
const columns: Signature['inputs'] = kinds.map((name) => ({ name, type: name, required: name !== 'double' }));

let served: { port: number; server: PythonServer };
let model: LoadedModel;
beforeAll(async () => {
  served = await serve(COLUMNS);
  const spec = { kind: 'remote' as const, protocol: 'mlflow' as const, url: `http://127.0.0.1:${served.port}`, model: 'same' };
  model = await remoteRuntime({ limits: { maxBodyBytes: 2 ** 24, maxJsonBytes: 0, maxUploadBytes: 0 }, remote: { hosts: [], secretsDir: undefined } }).load(
    packageOf(spec, { inputs: columns, outputs: columns }),
  );
}, 120_000);
afterAll(async () => {
  await model?.close();
  await served?.server.stop();
});

const row = () => [
  tensor('boolean', 'BOOL', [2], [1, 0]),
  tensor('integer', 'INT32', [2], [-2147483648, 7]),
  tensor('long', 'INT64', [2], [9007199254740993n, -1n]),
  tensor('float', 'FP32', [2], [0.1, -2.5]),
  tensor('double', 'FP64', [2], [0.1, Number.NaN]),
  tensor('string', 'BYTES', [2], ['a "b"', '日本']),
];

it('columns of every type go to MLflow and come back', async () => {
  expect(model.inputs.map(({ datatype }) => datatype)).toEqual(['BOOL', 'INT32', 'INT64', 'FP32', 'FP64', 'BYTES']);
  const answer = await model.execute(row(), kinds);
  expect(answer).toEqual(row());
});

it("parameters of a request are MLflow's params", async () => {
  const [double] = await model.execute(row(), ['double'], { parameters: { factor: 3 } });
  expect(Array.from((double?.data ?? []) as Float64Array)).toEqual([0.1 * 3, Number.NaN]);
});

it("a table that MLflow refuses is refused in MLflow's words", async () => {
  await expect(Promise.resolve(model.execute(row().slice(1), kinds))).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('boolean') });
});
