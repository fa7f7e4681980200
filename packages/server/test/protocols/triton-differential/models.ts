import { graph, identity, value } from '../../support/onnx-graphs.ts';
import type { TritonModel } from '../../support/triton-server.ts';

/** The same model for both: an ONNX graph for ours, Python for Triton, whose package has no other backend. */
export interface Pair {
  name: string;
  graph: Uint8Array;
  triton: Omit<TritonModel, 'name'>;
}

const python = (body: string): string => `import numpy as np
import triton_python_backend_utils as pb
class TritonPythonModel:
    def execute(self, requests):
        return [self.one(r) for r in requests]
    def one(self, request):
        get = lambda name: pb.get_input_tensor_by_name(request, name).as_numpy()
${body.replace(/^/gm, '        ')}
`;

const TYPES = {
  BOOL: 'TYPE_BOOL',
  UINT8: 'TYPE_UINT8',
  UINT16: 'TYPE_UINT16',
  UINT32: 'TYPE_UINT32',
  UINT64: 'TYPE_UINT64',
  INT8: 'TYPE_INT8',
  INT16: 'TYPE_INT16',
  INT32: 'TYPE_INT32',
  INT64: 'TYPE_INT64',
  FP16: 'TYPE_FP16',
  FP32: 'TYPE_FP32',
  FP64: 'TYPE_FP64',
  BYTES: 'TYPE_STRING',
} as const;

const tensors = (side: string, list: [name: string, type: keyof typeof TYPES, dims: number[]][]): string =>
  `${side} [${list.map(([name, type, dims]) => `{ name: "${name}" data_type: ${TYPES[type]} dims: [${dims}] }`).join(', ')}]`;

/** y = x, of each datatype, of rows of two. */
const identities: Pair[] = (Object.keys(TYPES) as (keyof typeof TYPES)[]).map((type) => ({
  name: `same_${type.toLowerCase()}`,
  graph: identity(type),
  triton: {
    config: `max_batch_size: 1024\n${tensors('input', [['x', type, [2]]])}\n${tensors('output', [['y', type, [2]]])}`,
    python: python('return pb.InferenceResponse([pb.Tensor("y", get("x"))])'),
  },
}));

/** total = a + b, again = b. */
const add: Pair = {
  name: 'add',
  graph: graph({
    nodes: [
      { opType: 'Add', input: ['a', 'b'], output: ['total'] },
      { opType: 'Identity', input: ['b'], output: ['again'] },
    ],
    inputs: [value('a', 'FP32', ['N', 2]), value('b', 'FP32', ['N', 2])],
    outputs: [value('total', 'FP32', ['N', 2]), value('again', 'FP32', ['N', 2])],
  }),
  triton: {
    config: [
      'max_batch_size: 1024',
      tensors('input', [
        ['a', 'FP32', [2]],
        ['b', 'FP32', [2]],
      ]),
      tensors('output', [
        ['total', 'FP32', [2]],
        ['again', 'FP32', [2]],
      ]),
    ].join('\n'),
    python: python('a, b = get("a"), get("b")\nreturn pb.InferenceResponse([pb.Tensor("total", a + b), pb.Tensor("again", b)])'),
  },
};

export const pairs: Pair[] = [...identities, add];
