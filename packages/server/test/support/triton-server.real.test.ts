import { afterAll, expect, it } from 'vitest';
import { startTriton, type TritonServer } from './triton-server.ts';

let server: TritonServer | undefined;
afterAll(() => server?.stop());

it("Triton's own server starts and answers from its Python backend", async () => {
  server = await startTriton([
    {
      name: 'twice',
      config: 'max_batch_size: 8\ninput [{ name: "X" data_type: TYPE_FP32 dims: [2] }]\noutput [{ name: "Y" data_type: TYPE_FP32 dims: [2] }]',
      python: `import triton_python_backend_utils as pb
class TritonPythonModel:
    def execute(self, requests):
        return [pb.InferenceResponse([pb.Tensor("Y", pb.get_input_tensor_by_name(r, "X").as_numpy() * 2)]) for r in requests]
`,
    },
  ]);
  const reply = await fetch(`${server.url}/v2/models/twice/infer`, {
    method: 'POST',
    body: JSON.stringify({ inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 2], data: [1, 2.5] }] }),
  });
  expect(await reply.json()).toMatchObject({ model_name: 'twice', outputs: [{ name: 'Y', datatype: 'FP32', shape: [1, 2], data: [2, 5] }] });
}, 90_000);
