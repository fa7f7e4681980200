import type { Datatype } from '../../src/serving/index.ts';
import { packageRuntimeSuite } from '../ports/package-runtime.suite.ts';
import { identity } from '../support/onnx-graphs.ts';
import { servingKit } from '../support/serving.ts';

// FP16 has no form in MLflow's JSON; 64-bit integers are held against MLflow itself.
const TYPES: Datatype[] = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'INT8', 'INT16', 'INT32', 'FP32', 'FP64', 'BYTES'];

packageRuntimeSuite('MLflow scoring, a second Binnacle', {
  protocol: 'mlflow',
  scheme: 'http',
  namesModels: false,
  async start() {
    const kit = await servingKit();
    for (const type of TYPES) await kit.deploy(`same-${type}`, identity(type));
    return {
      port: Number(new URL(kit.url).port),
      paths: (model) => `/endpoints/${model}`,
      models: Object.fromEntries(TYPES.map((type) => [type, `same-${type}`])),
      signature: (type) => ({ inputs: [{ name: 'x', type, shape: [-1, 2] }], outputs: [{ name: 'y', type, shape: [-1, 2] }] }),
      stop: () => kit.close(),
    };
  },
});
