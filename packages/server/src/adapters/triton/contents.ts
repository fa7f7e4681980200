import { allocate, type Datatype, type Tensor, textOfBytes } from '../../serving/index.ts';

/** InferTensorContents: the values of a tensor in the list of its datatype; 64-bit integers as Long. */
export type Contents = Partial<Record<(typeof LISTS)[Exclude<Datatype, 'FP16'>], ArrayLike<unknown>>>;

const LISTS = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
} as const satisfies Record<Exclude<Datatype, 'FP16'>, string>;

/** Throws an Error for a number of values that is not the shape's. */
export function valuesFromContents(name: string, datatype: Datatype, shape: number[], contents: Contents): Tensor {
  const count = shape.reduce((n, size) => n * size, 1);
  if (datatype === 'FP16') throw new Error(`output '${name}' has FP16 values outside the raw contents`);
  const values = contents[LISTS[datatype]] ?? [];
  if (values.length !== count) throw new Error(`output '${name}' has ${values.length} values for the shape [${shape}]`);
  const data = allocate(datatype, count);
  for (let i = 0; i < count; i++) {
    const value = values[i];
    (data as unknown[])[i] =
      datatype === 'BYTES' ? textOfBytes(value as Buffer) : datatype === 'INT64' || datatype === 'UINT64' ? BigInt(String(value)) : Number(value);
  }
  return { name, datatype, shape, data };
}
