import { allocate, type Datatype, type Tensor, type TensorData } from '../tensor.ts';

/** Up to here the bytes are kept as a string: thousands of small ArrayBuffers would cost the garbage collector more than the cache saves. */
const MAX_PACKED = 1024;

/** A tensor at rest, in memory of its own. */
export interface Kept {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly length: number;
  readonly data: TensorData | string;
}

const bytesOf = (data: Exclude<TensorData, string[]>): Buffer => Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

/** Copies that nobody else holds. */
export const keep = (tensors: readonly Tensor[]): Kept[] =>
  tensors.map(({ name, datatype, shape, data }) => ({
    name,
    datatype,
    shape: shape.slice(),
    length: data.length,
    data: !Array.isArray(data) && data.byteLength <= MAX_PACKED ? bytesOf(data).toString('latin1') : (data.slice() as TensorData),
  }));

/** Copies, bit for bit, for one who may do with them as he likes. */
export const unpack = (kept: readonly Kept[]): Tensor[] =>
  kept.map(({ name, datatype, shape, length, data }) => {
    if (typeof data !== 'string') return { name, datatype, shape: shape.slice(), data: data.slice() as TensorData };
    const own = allocate(datatype, length);
    bytesOf(own as Exclude<TensorData, string[]>).write(data, 'latin1');
    return { name, datatype, shape: shape.slice(), data: own };
  });

/** Bytes of the values. */
export function sizeOf(kept: readonly Kept[]): number {
  let bytes = 0;
  for (const { data } of kept) {
    if (typeof data === 'string') bytes += data.length;
    else if (Array.isArray(data)) for (const value of data) bytes += 32 + 2 * value.length;
    else bytes += data.byteLength;
  }
  return bytes;
}
