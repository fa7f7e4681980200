import { endianness } from 'node:os';
import { type BinnacleError, invalid, unsupported } from '../../../kernel/index.ts';
import { allocate, type Datatype, TENSOR_ARRAYS, type Tensor, type TensorData, textOfBytes } from '../../../serving/index.ts';
import { datatypeOf } from '../datatypes.ts';
import type { Long, WireTensor } from './wire.ts';

if (endianness() !== 'LE') throw new Error('tensor contents are little-endian, and so must this machine be');

const MAX_RANK = 64;
const bad = (text: string): BinnacleError => invalid('invalid_tensor', text);

/** A datatype's field of values. */
const FIELDS = {
  FP32: 'float_val',
  FP64: 'double_val',
  FP16: 'half_val',
  INT8: 'int_val',
  INT16: 'int_val',
  INT32: 'int_val',
  UINT8: 'int_val',
  UINT16: 'int_val',
  UINT32: 'uint32_val',
  INT64: 'int64_val',
  UINT64: 'uint64_val',
  BOOL: 'bool_val',
  BYTES: 'string_val',
} as const satisfies Record<Datatype, keyof WireTensor>;

/** What the tensors of a request may still take of what they may take together. */
export interface Budget {
  readonly max: number;
  left: number;
}

/** A string's place in its list, and the shortest string. */
const STRING_BYTES = 16;

/**
 * A TensorProto as a tensor: a view of its content where its address allows that, else a copy. `budget` bounds what a few values may be
 * repeated to. Throws `invalid` for one that is not whole, `unsupported` for types that no runtime here takes.
 */
export function tensorOf(name: string, proto: WireTensor, budget: Budget): Tensor {
  const datatype = datatypeOf(proto.dtype);
  if (datatype === undefined)
    throw unsupported(
      'dtype_unsupported',
      `input '${name}': the data type ${proto.dtype} of tensorflow.DataType is not taken here (BOOL, integers, HALF, FLOAT, DOUBLE and STRING are)`,
    );
  const shape = shapeOf(name, proto);
  let count = 1;
  for (const dimension of shape) count *= dimension;
  const width = datatype === 'BYTES' ? STRING_BYTES : TENSOR_ARRAYS[datatype].BYTES_PER_ELEMENT;
  const bytes = count * width;
  if (!(bytes <= budget.left))
    throw bad(
      `input '${name}': the shape [${shape}] needs more than the ${budget.max} bytes that all inputs of a request may have together; send smaller batches`,
    );
  budget.left -= bytes;
  const data = proto.tensor_content.length > 0 ? fromContent(name, datatype, count, proto.tensor_content) : fromValues(name, datatype, count, proto);
  return { name, datatype, shape, data };
}

function shapeOf(name: string, { tensor_shape }: WireTensor): number[] {
  if (tensor_shape === null) return [];
  if (tensor_shape.unknown_rank || tensor_shape.dim.length > MAX_RANK) throw bad(`input '${name}': a tensor needs a shape of ${MAX_RANK} dimensions at most`);
  const shape = tensor_shape.dim.map(({ size }) => size.toNumber());
  const odd = shape.find((dimension) => dimension < 0);
  if (odd !== undefined) throw bad(`input '${name}': the shape [${shape}] has a negative dimension`);
  return shape;
}

function fromContent(name: string, datatype: Datatype, count: number, bytes: Buffer): TensorData {
  if (datatype === 'BYTES') return stringsFromContent(name, count, bytes);
  const array = TENSOR_ARRAYS[datatype];
  const needed = count * array.BYTES_PER_ELEMENT;
  if (bytes.length !== needed) throw bad(`input '${name}': tensor_content has ${bytes.length} bytes, but the shape and the data type need ${needed}`);
  const data =
    bytes.byteOffset % array.BYTES_PER_ELEMENT === 0
      ? new array(bytes.buffer, bytes.byteOffset, count)
      : new array(Uint8Array.prototype.slice.call(bytes).buffer, 0, count);
  if (datatype === 'BOOL') for (const value of bytes) if (value > 1) throw bad(`input '${name}': a DT_BOOL is the byte 0 or 1, got ${value}`);
  return data;
}

/** The lengths of all as varints, then the strings one after the other. */
function stringsFromContent(name: string, count: number, bytes: Buffer): string[] {
  const broken = (): BinnacleError => bad(`input '${name}': tensor_content holds no ${count} strings`);
  if (count > bytes.length) throw broken();
  const lengths: number[] = [];
  let at = 0;
  while (lengths.length < count) {
    let length = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || factor > 2 ** 35) throw broken();
      length += (byte & 127) * factor;
      if (byte < 128) break;
    }
    lengths.push(length);
  }
  return lengths.map((length, i) => {
    if (at + length > bytes.length || (i === count - 1 && at + length !== bytes.length)) throw broken();
    const text = textOfBytes(bytes.subarray(at, at + length));
    at += length;
    return text;
  });
}

/** Fewer values than the shape needs: the last stands for the rest, and none for zeros, as TensorFlow reads it. */
function fromValues(name: string, datatype: Datatype, count: number, proto: WireTensor): TensorData {
  const values: readonly unknown[] = proto[FIELDS[datatype]];
  const data = allocate(datatype, count);
  const given = Math.min(count, values.length);
  if (Array.isArray(data)) for (let i = 0; i < given; i++) data[i] = textOfBytes(values[i] as Buffer);
  else if (datatype === 'INT64' || datatype === 'UINT64') writeLongs(data as BigInt64Array, values as Long[], given);
  else writeNumbers(name, datatype, data as Int32Array, values as number[], given);
  if (given > 0 && given < count) (data as unknown[]).fill(data[given - 1], given);
  return data;
}

function writeLongs(data: BigInt64Array, values: readonly Long[], count: number): void {
  const halves = new Int32Array(data.buffer);
  for (let i = 0; i < count; i++) {
    const { low, high } = values[i] as Long;
    halves[2 * i] = low;
    halves[2 * i + 1] = high;
  }
}

function writeNumbers(name: string, datatype: Datatype, data: Int32Array, values: readonly number[], count: number): void {
  for (let i = 0; i < count; i++) data[i] = values[i] as number;
  // int_val and half_val have 32 bits; what does not fit was cut.
  if (data.BYTES_PER_ELEMENT < 4 && datatype !== 'BOOL')
    for (let i = 0; i < count; i++) if (data[i] !== values[i]) throw bad(`input '${name}', value ${i}: ${values[i]} does not fit ${datatype}`);
}
