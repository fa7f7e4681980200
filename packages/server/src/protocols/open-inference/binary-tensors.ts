import { isUtf8 } from 'node:buffer';
import { endianness } from 'node:os';
import { type BinnacleError, invalid } from '../../kernel/index.ts';
import { type Datatype, TENSOR_ARRAYS, type Tensor, type TensorData } from '../../serving/index.ts';

if (endianness() !== 'LE') throw new Error('binary tensors are little-endian, and so must this machine be');

const bad = (text: string): BinnacleError => invalid('invalid_tensor', text);

/** A tensor's bytes as values: a view of `bytes` where its address allows it, else a copy. */
export function dataFromBinary(name: string, datatype: Datatype, count: number, bytes: Buffer): TensorData {
  if (datatype === 'BYTES') return stringsFromBinary(name, count, bytes);
  const array = TENSOR_ARRAYS[datatype];
  const needed = count * array.BYTES_PER_ELEMENT;
  if (bytes.length !== needed) throw bad(`unexpected total byte size ${bytes.length} for input '${name}', expecting ${needed}`);
  const data =
    bytes.byteOffset % array.BYTES_PER_ELEMENT === 0
      ? new array(bytes.buffer, bytes.byteOffset, count)
      : new array(Uint8Array.prototype.slice.call(bytes).buffer, 0, count);
  if (datatype === 'BOOL')
    for (let i = 0; i < count; i++) if ((data[i] as number) > 1) throw bad(`input '${name}', value ${i}: a BOOL is the byte 0 or 1, got ${data[i]}`);
  return data;
}

function stringsFromBinary(name: string, count: number, bytes: Buffer): string[] {
  const out: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length)
      throw bad(`incomplete string length indicator for inference input '${name}', expecting 4 bytes but only ${bytes.length - at} bytes available`);
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (length > bytes.length - at)
      throw bad(`incomplete string data for inference input '${name}', expecting string of length ${length} but only ${bytes.length - at} bytes available`);
    const part = bytes.subarray(at, at + length);
    if (!isUtf8(part))
      throw bad(`input '${name}', element ${out.length}: the runtime keeps strings as UTF-8, and these bytes are not; encode them (base64, say)`);
    out.push(part.toString('utf8'));
    at += length;
    if (out.length > count) break;
  }
  if (out.length !== count)
    throw bad(
      `expected ${count} string element${count === 1 ? '' : 's'} for inference input '${name}', got ${out.length > count ? `more than ${count}` : out.length}`,
    );
  return out;
}

/** A tensor's values as little-endian bytes; a view of the tensor where possible. */
export function dataToBinary({ data }: Tensor): Buffer {
  if (!Array.isArray(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  let size = 0;
  for (const value of data) size += 4 + Buffer.byteLength(value);
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const value of data) {
    const length = out.write(value, at + 4);
    out.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return out;
}
