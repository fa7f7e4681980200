import { tfServingGrpc } from '../../src/protocols/tf-serving/index.ts';
import type { Datatype } from '../../src/serving/index.ts';
import { packageRuntimeSuite } from '../ports/package-runtime.suite.ts';
import { startGrpc } from '../support/grpc.ts';
import { identity } from '../support/onnx-graphs.ts';
import { servingKit } from '../support/serving.ts';

const TYPES: Datatype[] = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES'];

async function binnacle() {
  const kit = await servingKit();
  for (const type of TYPES) await kit.deploy(`same-${type}`, identity(type));
  return { kit, models: Object.fromEntries(TYPES.map((type) => [type, `same-${type}`])) };
}

packageRuntimeSuite('TensorFlow Serving over REST, a second Binnacle', {
  protocol: 'tensorflow-serving',
  scheme: 'http',
  async start() {
    const { kit, models } = await binnacle();
    return { port: Number(new URL(kit.url).port), models, stop: () => kit.close() };
  },
});

packageRuntimeSuite('TensorFlow Serving over gRPC, a second Binnacle', {
  protocol: 'tensorflow-serving-grpc',
  scheme: 'grpc',
  async start() {
    const { kit, models } = await binnacle();
    const grpc = await startGrpc(tfServingGrpc({ serving: kit.serving, maxTensorBytes: 64 * 2 ** 20 }));
    return {
      port: Number(grpc.target.split(':').at(-1)),
      models,
      async stop() {
        await grpc.close();
        await kit.close();
      },
    };
  },
});
