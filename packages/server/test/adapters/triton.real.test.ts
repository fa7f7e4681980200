import type { Datatype } from '../../src/serving/index.ts';
import { packageRuntimeSuite, type StandIn } from '../ports/package-runtime.suite.ts';
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
