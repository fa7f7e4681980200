import type { TensorSpec } from '@binnacle/contract';
import { bytesField, type Field, fields, last, message, stringOf, varintField } from './wire.ts';

/** TensorProto.DataType to Open Inference's names; the missing ones (BF16, complex, FP8, 4-bit) cannot cross the binding. */
const DATATYPES: Record<number, string> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
};
const OTHER_TYPES: Record<number, string> = {
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8',
  18: 'float8',
  19: 'float8',
  20: 'float8',
  21: 'uint4',
  22: 'int4',
  23: 'float4',
};

/** A graph's input or output that cannot be served, and why. */
export class UnservableValue extends Error {}

/** A ValueInfoProto as a tensor: -1 for a free dimension. An absent shape (unknown rank) reads as []. */
export function tensorSpec(valueInfo: Field[]): TensorSpec {
  const name = stringOf(valueInfo, 1);
  const type = last(valueInfo, 2);
  if (type === undefined) throw new UnservableValue(`'${name}' has no type`);
  const kinds = fields(type.bytes);
  const tensor = last(kinds, 1);
  if (tensor === undefined) {
    const kind = last(kinds, 4)
      ? 'a sequence'
      : last(kinds, 5)
        ? 'a map'
        : last(kinds, 9)
          ? 'an optional'
          : last(kinds, 8)
            ? 'a sparse tensor'
            : 'of an unknown kind';
    throw new UnservableValue(`'${name}' is ${kind}; only dense tensors can be served`);
  }
  const parts = fields(tensor.bytes);
  const element = Number(last(parts, 1)?.value ?? 0n);
  const datatype = DATATYPES[element];
  if (datatype === undefined)
    throw new UnservableValue(`'${name}' has the element type ${OTHER_TYPES[element] ?? `number ${element}`}, which the runtime cannot exchange`);
  const shape = last(parts, 2);
  const dims = shape === undefined ? [] : fields(shape.bytes).filter((f) => f.number === 1);
  return { name, datatype, shape: dims.map((dim) => dimension(fields(dim.bytes), name)) };
}

function dimension(dim: Field[], name: string): number {
  const fixed = last(dim, 1);
  if (fixed === undefined) return -1;
  const value = BigInt.asIntN(64, fixed.value);
  // Some exporters write -1 or 0 for "any".
  if (value <= 0n) return value === 0n ? 0 : -1;
  if (value > 0x7fffffffn) throw new UnservableValue(`'${name}' has a dimension of ${value}`);
  return Number(value);
}

/** A ValueInfoProto of a float tensor [batch, columns]. */
export function floatMatrix(name: string, columns: number): Uint8Array {
  const free = bytesField(1, bytesField(2, 'N'));
  const second = columns > 0 ? bytesField(1, varintField(1, columns)) : bytesField(1, new Uint8Array(0));
  const tensor = message([varintField(1, 1), bytesField(2, message([free, second]))]);
  return message([bytesField(1, name), bytesField(2, bytesField(1, tensor))]);
}
