import { expect, it } from 'vitest';
import { remoteRuntime } from '../../src/compose/remote-models.ts';
import type { Datatype } from '../../src/serving/index.ts';
import { packageOf, packageRuntimeSuite, type StandIn, tensor } from '../ports/package-runtime.suite.ts';
import { freePort, pythonServer } from '../support/python-server.ts';
import { startTriton } from '../support/triton-server.ts';

const TYPES: Datatype[] = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES'];
const models = Object.fromEntries(TYPES.map((type) => [type, `same-${type}`]));

/** Triton's own server with a model of its Python backend for each datatype. */
async function triton(port: (server: { url: string; grpcPort: number }) => number): Promise<StandIn> {
  const server = await startTriton(
    TYPES.map((type) => {
      const dtype = `TYPE_${type === 'BYTES' ? 'STRING' : type}`;
      return {
        name: `same-${type}`,
        config: `max_batch_size: 65536\ninput [{ name: "x" data_type: ${dtype} dims: [2] }]\noutput [{ name: "y" data_type: ${dtype} dims: [2] }]`,
        python: `import triton_python_backend_utils as pb
class TritonPythonModel:
    def execute(self, requests):
        return [pb.InferenceResponse([pb.Tensor("y", pb.get_input_tensor_by_name(r, "x").as_numpy())]) for r in requests]
`,
      };
    }),
  );
  return { port: port(server), models, stop: () => server.stop() };
}

packageRuntimeSuite("Open Inference over REST, Triton's own server", {
  protocol: 'open-inference',
  scheme: 'http',
  start: () => triton(({ url }) => Number(new URL(url).port)),
});
packageRuntimeSuite("Open Inference over gRPC, Triton's own server", {
  protocol: 'open-inference-grpc',
  scheme: 'grpc',
  start: () => triton(({ grpcPort }) => grpcPort),
});

const RUNTIME = `from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse

class Same(MLModel):
    async def load(self):
        return True
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        x = payload.inputs[0]
        if x.shape[1] != 2:
            raise InferenceError(f"x must be [N,2], not {x.shape}")
        if x.datatype == "BYTES":
            y = StringCodec.encode_output("y", StringCodec.decode_input(x), use_bytes=False)
            y.shape = x.shape
        else:
            y = NumpyCodec.encode_output("y", NumpyCodec.decode_input(x))
        return InferenceResponse(model_name=self.name, outputs=[y])
`;

/** MLServer with a runtime of ours, a model for each datatype. */
async function mlserver(pick: (ports: { http: number; grpc: number }) => number): Promise<StandIn> {
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const server = await pythonServer({
    environment: 'venv-mlserver',
    program: 'mlserver',
    args: (dir) => ['start', dir],
    files: {
      'settings.json': JSON.stringify({ host: '127.0.0.1', http_port: http, grpc_port: grpc, metrics_port: metrics, parallel_workers: 0, debug: false }),
      'same.py': RUNTIME,
      ...Object.fromEntries(
        TYPES.map((type) => [
          `same-${type}/model-settings.json`,
          JSON.stringify({
            name: `same-${type}`,
            implementation: 'same.Same',
            inputs: [{ name: 'x', datatype: type, shape: [-1, 2] }],
            outputs: [{ name: 'y', datatype: type, shape: [-1, 2] }],
          }),
        ]),
      ),
    },
    ready: `http://127.0.0.1:${http}/v2/health/ready`,
  });
  return { port: pick({ http, grpc }), models, stop: () => server.stop() };
}

packageRuntimeSuite('Open Inference over REST, MLServer', { protocol: 'open-inference', scheme: 'http', start: () => mlserver(({ http }) => http) });
packageRuntimeSuite('Open Inference over gRPC, MLServer', { protocol: 'open-inference-grpc', scheme: 'grpc', start: () => mlserver(({ grpc }) => grpc) });

it("Triton's backend sees priority, time-out, sequence and parameters as they were given here", async () => {
  const server = await startTriton([
    {
      name: 'echo',
      config: 'input [{ name: "x" data_type: TYPE_FP32 dims: [1] }]\noutput [{ name: "seen" data_type: TYPE_STRING dims: [1] }]',
      python: `import json, numpy as np, triton_python_backend_utils as pb
class TritonPythonModel:
    def execute(self, requests):
        return [pb.InferenceResponse([pb.Tensor("seen", np.array([json.dumps([r.correlation_id(), r.flags(), r.timeout(), json.loads(r.parameters())])], dtype=object))]) for r in requests]
`,
    },
  ]);
  try {
    for (const [protocol, url] of [
      ['open-inference', server.url],
      ['open-inference-grpc', `grpc://127.0.0.1:${server.grpcPort}`],
    ] as const) {
      const model = await remoteRuntime({
        limits: { maxBodyBytes: 2 ** 20, maxJsonBytes: 0, maxUploadBytes: 0 },
        remote: { hosts: [], secretsDir: undefined },
      }).load(packageOf({ kind: 'remote', protocol, url, model: 'echo' }));
      const [seen] = await model.execute([tensor('x', 'FP32', [1], [1])], ['seen'], {
        priority: 2,
        timeoutMicros: 5_000_000,
        sequence: { id: 9007199254740993n, start: true, end: false },
        parameters: { mode: 'a', depth: 3 },
      });
      // The second is Triton's flag of a sequence's start.
      expect(String(seen?.data[0]), protocol).toMatch(/^\[9007199254740993, 1, 5000000, \{.*\}\]$/);
      expect(JSON.parse(String(seen?.data[0]))[3]).toMatchObject({ mode: 'a', depth: 3 });
      await model.close();
    }
  } finally {
    await server.stop();
  }
}, 120_000);
