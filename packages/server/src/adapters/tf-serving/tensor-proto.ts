import { checkShape, countOf, valuesFromRaw } from '../../remote/index.ts';
import { bytesOfText, allocate, type Datatype, type Tensor, textOfBytes } from '../../serving/index.ts';
import { DATATYPES } from './signature.ts';

/** TensorProto as decoded; 64-bit integers as Long. */
export interface TensorProto {
  dtype: number;
  tensor_shape?: { dim?: { size?: unknown }[] } | null;
  tensor_content: Buffer;
  [list: string]: unknown;
}

const LISTS: Record<Datatype, string> = {
  BOOL: 'bool_val',
  UINT8: 'int_val',
  UINT16: 'int_val',
  UINT32: 'uint32_val',
  UINT64: 'uint64_val',
  INT8: 'int_val',
  INT16: 'int_val',
  INT32: 'int_val',
  INT64: 'int64_val',
  FP16: 'half_val',
  FP32: 'float_val',
  FP64: 'double_val',
  BYTES: 'string_val',
};

export function toTensorProto({ datatype, shape, data }: Tensor): object {
  const dtype = DATATYPES.find(([, , known]) => known === datatype)?.[1];
  const tensor_shape = { dim: shape.map((size) => ({ size })) };
  if (Array.isArray(data)) return { dtype, tensor_shape, string_val: data.map(bytesOfText) };
  return { dtype, tensor_shape, tensor_content: Buffer.from(data.buffer, data.byteOffset, data.byteLength) };
}

/** Throws an Error for a type that is not supported here and for values that do not fit the shape. */
export function fromTensorProto(name: string, proto: TensorProto): Tensor {
  const datatype = DATATYPES.find(([, code]) => code === proto.dtype)?.[2];
  if (datatype === undefined) throw new Error(`output '${name}' has TensorFlow's type ${proto.dtype}, which is not supported here`);
  const shape = checkShape(
    name,
    (proto.tensor_shape?.dim ?? []).map(({ size }) => Number(size)),
  );
  if (proto.tensor_content.length > 0 && datatype !== 'BYTES') return valuesFromRaw(name, datatype, shape, proto.tensor_content);
  const count = countOf(shape);
  const values = (proto[LISTS[datatype]] ?? []) as ArrayLike<unknown>;
  // Shorter lists go on with their last value.
  if (values.length > count || (values.length === 0 && count > 0)) throw new Error(`output '${name}' has ${values.length} values for the shape [${shape}]`);
  const data = allocate(datatype, count);
  for (let i = 0; i < count; i++) {
    const value = values[Math.min(i, values.length - 1)];
    (data as unknown[])[i] =
      datatype === 'BYTES' ? textOfBytes(value as Buffer) : datatype === 'INT64' || datatype === 'UINT64' ? BigInt(String(value)) : Number(value);
  }
  return { name, datatype, shape, data };
}
