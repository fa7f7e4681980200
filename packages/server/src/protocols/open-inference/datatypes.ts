import type { Datatype, TensorData } from '../../serving/index.ts';

type Numeric = Exclude<Datatype, 'BYTES'>;
type NumericArray = Exclude<TensorData, string[]>;
interface NumericConstructor {
  new (length: number): NumericArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): NumericArray;
  readonly BYTES_PER_ELEMENT: number;
}

/** The array of each datatype; FP16 as raw bits, BOOL a byte each. */
export const ARRAYS: Record<Numeric, NumericConstructor> = {
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

export const isDatatype = (name: unknown): name is Datatype => typeof name === 'string' && (name === 'BYTES' || Object.hasOwn(ARRAYS, name));

/** Elements of a shape; NaN when a dimension is no natural number or the product is beyond what an array can hold. */
export function countOf(shape: readonly unknown[]): number {
  let count = 1;
  for (const dimension of shape) {
    if (typeof dimension !== 'number' || !Number.isInteger(dimension) || dimension < 0) return Number.NaN;
    count *= dimension;
  }
  return count <= 2 ** 31 ? count : Number.NaN;
}
