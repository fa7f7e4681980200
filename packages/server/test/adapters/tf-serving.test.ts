import type { Datatype } from '../../src/serving/index.ts';
import { packageRuntimeSuite } from '../ports/package-runtime.suite.ts';
import { identity } from '../support/onnx-graphs.ts';
import { servingKit } from '../support/serving.ts';

const TYPES: Datatype[] = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES'];

packageRuntimeSuite('TensorFlow Serving over REST, a second Binnacle', {
  protocol: 'tensorflow-serving',
  scheme: 'http',
  async start() {
    const kit = await servingKit();
    for (const type of TYPES) await kit.deploy(`same-${type}`, identity(type));
    return { port: Number(new URL(kit.url).port), models: Object.fromEntries(TYPES.map((type) => [type, `same-${type}`])), stop: () => kit.close() };
  },
});
