import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RepositoryKit, repositoryKit } from '../support/model-repository.ts';
import { until } from '../support/serving.ts';
import { startTriton, type TritonServer } from '../support/triton-server.ts';
import { graph, sum, value } from '../support/onnx-graphs.ts';

/** The same configurations over Triton's Python backend and over ONNX graphs of ours. */
const SUM_CONFIG = `max_batch_size: 4
input [{ name: "x" data_type: TYPE_FP32 dims: [2] }]
output [{ name: "y" data_type: TYPE_FP32 dims: [1] }]
version_policy { latest { num_versions: 1 } }
instance_group [{ count: 2 kind: KIND_CPU }]
dynamic_batching { preferred_batch_size: [2, 4] max_queue_delay_microseconds: 100 default_queue_policy { timeout_action: DELAY max_queue_size: 10 } priority_levels: 2 default_priority_level: 1 }
parameters { key: "note" value { string_value: "x" } }`;
const SUM = `import numpy as np, triton_python_backend_utils as pb
class TritonPythonModel:
    def execute(self, requests):
        return [pb.InferenceResponse([pb.Tensor("y", pb.get_input_tensor_by_name(r, "x").as_numpy().sum(axis=1, keepdims=True).astype(np.float32))]) for r in requests]
`;
const SEQUENCE_CONFIG = `max_batch_size: 4
input [{ name: "x" data_type: TYPE_FP32 dims: [1] }]
output [{ name: "y" data_type: TYPE_FP32 dims: [1] }]
sequence_batching { max_sequence_idle_microseconds: 5000000 control_input [{ name: "START" control [{ kind: CONTROL_SEQUENCE_START fp32_false_true: [0, 1] }] }] }`;
const SEQUENCE = `import numpy as np, triton_python_backend_utils as pb
class TritonPythonModel:
    def execute(self, requests):
        out = []
        for r in requests:
            x = pb.get_input_tensor_by_name(r, "x").as_numpy()
            start = pb.get_input_tensor_by_name(r, "START").as_numpy().reshape(1, 1)
            out.append(pb.InferenceResponse([pb.Tensor("y", (x + start).astype(np.float32))]))
        return out
`;
const column = (name: string) => value(name, 'FP32', ['N', 1]);
const startGraph = graph({
  nodes: [{ opType: 'Add', input: ['x', 'START'], output: ['y'] }],
  inputs: [column('x'), column('START')],
  outputs: [column('y')],
});

let triton: TritonServer;
let ours: RepositoryKit;
beforeAll(async () => {
  triton = await startTriton(
    [
      { name: 'sum', config: SUM_CONFIG, python: SUM },
      { name: 'seq', config: SEQUENCE_CONFIG, python: SEQUENCE },
    ],
    ['--model-control-mode', 'explicit', '--load-model', '*'],
  );
  ours = await repositoryKit(
    { 'sum/1/model.onnx': sum(2), 'sum/config.pbtxt': SUM_CONFIG, 'seq/1/model.onnx': startGraph, 'seq/config.pbtxt': SEQUENCE_CONFIG },
    { mode: 'explicit', loadModels: ['*'] },
  );
}, 120_000);
afterAll(async () => {
  await triton?.stop();
  await ours?.close();
});

/** The same request to both. */
interface Reply {
  status: number;
  body: any; // eslint-disable-line
}
async function both(path: string, body?: unknown): Promise<[Reply, Reply]> {
  // eslint-disable-line
  const ask = async (url: string): Promise<Reply> => {
    const reply = await fetch(`${url}${path}`, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
    const text = await reply.text();
    return { status: reply.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  return [await ask(triton.url), await ask(ours.kit.url)];
}
const x = (values: number[], columns: number, parameters: object = {}) => ({
  parameters,
  inputs: [{ name: 'x', datatype: 'FP32', shape: [values.length / columns, columns], data: values }],
});
/** Triton begins some texts with the request's id. */
const plain = (text: string): string => text.replace(/^\[request id: [^\]]*\] /, '');

describe('a repository beside Triton’s own server', () => {
  it.each(['sum', 'seq'])('shows the configuration of %s alike', async (name) => {
    const [theirs, mine] = await both(`/v2/models/${name}/config`);
    const { backend: _b, platform: _p, default_model_filename: _f, ...rest } = theirs.body;
    // What Triton fills in of its own: instance names, host policies.
    const shape = (config: any) => ({ ...config, instance_group: undefined, optimization: undefined, scheduling: undefined }); // eslint-disable-line
    expect(shape(mine.body)).toMatchObject(shape(rest));
  });

  it.each([
    ['a request of no sequence', {}],
    ['a request before the start', { sequence_id: 5 }],
    ['a request of a string before the start', { sequence_id: 'five' }],
  ])('refuses %s in the same words', async (_what, parameters) => {
    const [theirs, mine] = await both('/v2/models/seq/infer', x([1], 1, parameters));
    expect(plain(mine.body.error)).toBe(plain(theirs.body.error));
    expect(mine.status).toBe(theirs.status);
  });

  it('refuses a batch of a sequence in the same words', async () => {
    const [theirs, mine] = await both('/v2/models/seq/infer', x([1, 2], 1, { sequence_id: 6, sequence_start: true }));
    expect([mine.status, plain(mine.body.error)]).toEqual([theirs.status, plain(theirs.body.error)]);
  });

  it('answers a sequence alike', async () => {
    for (const parameters of [{ sequence_id: 7, sequence_start: true }, { sequence_id: 7 }, { sequence_id: 7, sequence_end: true }]) {
      const [theirs, mine] = await both('/v2/models/seq/infer', x([3], 1, parameters));
      expect(mine.body.outputs).toEqual(theirs.body.outputs);
    }
  });

  it('refuses too many rows in the same words', async () => {
    const [theirs, mine] = await both('/v2/models/sum/infer', x([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 2));
    expect([mine.status, plain(mine.body.error)]).toEqual([theirs.status, plain(theirs.body.error)]);
  });

  it('lists, unloads and loads alike', async () => {
    const [theirs, mine] = await both('/v2/repository/index', {});
    expect(mine.body).toEqual(theirs.body);
    expect((await both('/v2/repository/models/seq/unload', {})).map(({ status }) => status)).toEqual([200, 200]);
    const ready = async () => (await both('/v2/models/seq/ready')).map(({ status }) => status);
    expect(await ready()).toEqual([400, 400]);
    // Triton frees it by and by.
    await until(async () => {
      const [after, ourAfter] = (await both('/v2/repository/index', {})).map(({ body }) => body.find(({ name }: { name: string }) => name === 'seq'));
      expect(ourAfter).toEqual({ name: 'seq', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' });
      return isDeepStrictEqual(after, ourAfter);
    }, 20_000);
    expect((await both('/v2/repository/models/seq/load', {})).map(({ status }) => status)).toEqual([200, 200]);
    expect(await ready()).toEqual([200, 200]);
    const [unknown, ourUnknown] = await both('/v2/repository/models/nowhere/load', {});
    // Triton calls it a fault of its own (500); to us it is the caller's.
    expect([ourUnknown.body, ourUnknown.status, unknown.status]).toEqual([unknown.body, 400, 500]);
  });
});
