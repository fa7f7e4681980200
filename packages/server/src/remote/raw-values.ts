import { bytesOfText, type Datatype, isText, TENSOR_ARRAYS, type Tensor, type TensorData, textOfBytes } from '../serving/index.ts';
import { countOf } from './json-values.ts';

/** A tensor's values as Open Inference's little-endian bytes; a view where possible. BYTES are strings behind their length in four bytes. */
export function valuesToRaw({ data }: Tensor): Buffer {
  if (!Array.isArray(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  let size = 0;
  for (const value of data) size += 4 + (isText(value) ? Buffer.byteLength(value) : bytesOfText(value).length);
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const value of data) {
    const length = isText(value) ? out.write(value, at + 4) : bytesOfText(value).copy(out, at + 4);
    out.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return out;
}

/** The way back; the values are a copy where the address is odd. Throws an Error that says what does not fit. */
export function valuesFromRaw(name: string, datatype: Datatype, shape: number[], bytes: Buffer): Tensor {
  const count = countOf(shape);
  return { name, datatype, shape, data: datatype === 'BYTES' ? strings(name, count, bytes) : numbers(name, datatype, count, bytes) };
}

function numbers(name: string, datatype: Exclude<Datatype, 'BYTES'>, count: number, bytes: Buffer): TensorData {
  const array = TENSOR_ARRAYS[datatype];
  if (bytes.length !== count * array.BYTES_PER_ELEMENT)
    throw new Error(`output '${name}' has ${bytes.length} bytes, expecting ${count * array.BYTES_PER_ELEMENT}`);
  // Small buffers are slices of Node's pool, which a few bytes would keep in memory.
  if (bytes.length >= 4096 && bytes.byteOffset % array.BYTES_PER_ELEMENT === 0) return new array(bytes.buffer, bytes.byteOffset, count);
  return new array(Uint8Array.prototype.slice.call(bytes).buffer, 0, count);
}

function strings(name: string, count: number, bytes: Buffer): string[] {
  const out: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (out.length === count) throw new Error(`output '${name}' has more than ${count} strings`);
    const end = at + 4 > bytes.length ? Number.POSITIVE_INFINITY : at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) throw new Error(`output '${name}' ends within a string`);
    out.push(textOfBytes(bytes.subarray(at + 4, end)));
    at = end;
  }
  if (out.length !== count) throw new Error(`output '${name}' has ${out.length} strings, expecting ${count}`);
  return out;
}
