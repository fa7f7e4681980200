import type { ColumnArray } from '../tables/index.ts';

/** Tensor datatypes by their Open Inference names. */
export type Datatype = 'BOOL' | 'UINT8' | 'UINT16' | 'UINT32' | 'UINT64' | 'INT8' | 'INT16' | 'INT32' | 'INT64' | 'FP16' | 'FP32' | 'FP64' | 'BYTES';

/** BOOL is 0/1 in a Uint8Array, FP16 the raw bits in a Uint16Array, 64-bit integers are BigInt arrays, BYTES is an array of strings (see bytes-text.ts for bytes that are no UTF-8). */
export type TensorData = ColumnArray;

/** A dense tensor in row-major order; `shape` has no -1. */
export interface Tensor {
  name: string;
  datatype: Datatype;
  shape: number[];
  data: TensorData;
}

/** The same in memory of its own. */
export const copyOf = (tensor: Tensor): Tensor => ({ ...tensor, shape: tensor.shape.slice(), data: tensor.data.slice() as TensorData });

interface ArrayConstructor {
  new (length: number): Exclude<TensorData, string[]>;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): Exclude<TensorData, string[]>;
  readonly BYTES_PER_ELEMENT: number;
}

/** The array of each datatype but BYTES, as TensorData says. */
export const TENSOR_ARRAYS: Record<Exclude<Datatype, 'BYTES'>, ArrayConstructor> = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/** Room for `length` values of a datatype. */
export const allocate = (datatype: Datatype, length: number): TensorData =>
  datatype === 'BYTES' ? Array.from({ length }, () => '') : new TENSOR_ARRAYS[datatype](length);

/** Whether the values are kept as the datatype's are; what the strings of BYTES are is not looked at. */
export const isDataOf = (datatype: Datatype, data: unknown): data is TensorData =>
  datatype === 'BYTES' ? Array.isArray(data) : data instanceof TENSOR_ARRAYS[datatype];
