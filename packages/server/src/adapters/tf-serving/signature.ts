import { isObject } from '../../kernel/index.ts';
import type { RemoteModelFacts } from '../../remote/index.ts';
import type { Datatype } from '../../serving/index.ts';

/** TensorFlow's element types (their names and numbers in types.proto) → Open Inference's. */
export const DATATYPES: readonly [name: string, code: number, datatype: Datatype][] = [
  ['DT_FLOAT', 1, 'FP32'],
  ['DT_DOUBLE', 2, 'FP64'],
  ['DT_INT32', 3, 'INT32'],
  ['DT_UINT8', 4, 'UINT8'],
  ['DT_INT16', 5, 'INT16'],
  ['DT_INT8', 6, 'INT8'],
  ['DT_STRING', 7, 'BYTES'],
  ['DT_INT64', 9, 'INT64'],
  ['DT_BOOL', 10, 'BOOL'],
  ['DT_UINT16', 17, 'UINT16'],
  ['DT_HALF', 19, 'FP16'],
  ['DT_UINT32', 22, 'UINT32'],
  ['DT_UINT64', 23, 'UINT64'],
];

export const DEFAULT_SIGNATURE = 'serving_default';

/** The signature that the model answers by, out of its SignatureDefMap (as JSON, or decoded from the message). Throws an Error when there is none. */
export function factsOf(signatures: unknown): RemoteModelFacts {
  const signature = isObject(signatures) ? signatures[DEFAULT_SIGNATURE] : undefined;
  if (!isObject(signature))
    throw new Error(`it has no signature '${DEFAULT_SIGNATURE}' (it has ${isObject(signatures) ? Object.keys(signatures).join(', ') : 'none'})`);
  const inputs = tensors(signature.inputs);
  const outputs = tensors(signature.outputs);
  const free = [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);
  return { inputs, outputs, batchable: inputs.length > 0 && free, checksInputs: false };
}

function tensors(map: unknown): RemoteModelFacts['inputs'] {
  if (!isObject(map)) return [];
  return Object.entries(map)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, info]) => {
      const { dtype, tensor_shape: shape } = info as { dtype?: unknown; tensor_shape?: { dim?: { size?: unknown }[]; unknown_rank?: boolean } };
      const known = DATATYPES.find(([word, code]) => word === dtype || code === dtype);
      if (known === undefined) throw new Error(`its tensor '${name}' has the type ${String(dtype)}, which is not supported here`);
      const sizes = shape?.unknown_rank === true ? [] : (shape?.dim ?? []).map(({ size }) => (Number(size) >= 0 ? Number(size) : -1));
      return { name, datatype: known[2], shape: sizes };
    });
}
