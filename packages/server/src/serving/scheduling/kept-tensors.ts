import { allocate, type Datatype, type Tensor, type TensorData } from '../tensor.ts';

/** Up to here the bytes are kept as a string: thousands of small ArrayBuffers would cost the garbage collector more than the cache saves. */
const MAX_PACKED = 1024;

interface Form {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly length: number;
}

/** Tensors at rest, in memory of their own: small ones as one string of bytes, others as they are. What they look like is shared by all that look alike. */
export interface Kept {
  readonly forms: readonly Form[];
  readonly data: string | readonly TensorData[];
}

const bytesOf = (data: Exclude<TensorData, string[]>): Buffer => Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

function alike(forms: readonly Form[], tensors: readonly Tensor[]): boolean {
  if (forms.length !== tensors.length) return false;
  for (let i = 0; i < forms.length; i++) {
    const form = forms[i] as Form;
    const { name, datatype, shape, data } = tensors[i] as Tensor;
    if (form.length !== data.length || form.datatype !== datatype || form.name !== name || form.shape.length !== shape.length) return false;
    for (let d = 0; d < shape.length; d++) if (form.shape[d] !== shape[d]) return false;
  }
  return true;
}

/** Copies that nobody else holds. `like`: what was kept before them, which they may resemble. */
export function keep(tensors: readonly Tensor[], like?: Kept): Kept {
  const forms =
    like !== undefined && alike(like.forms, tensors)
      ? like.forms
      : tensors.map(({ name, datatype, shape, data }) => ({ name, datatype, shape: shape.slice(), length: data.length }));
  let bytes = 0;
  for (const { data } of tensors) bytes += Array.isArray(data) ? MAX_PACKED + 1 : data.byteLength;
  if (bytes > MAX_PACKED) return { forms, data: tensors.map(({ data }) => data.slice() as TensorData) };
  if (tensors.length === 1) return { forms, data: bytesOf((tensors[0] as Tensor).data as Uint8Array).toString('latin1') };
  const packed = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { data } of tensors) at += bytesOf(data as Uint8Array).copy(packed, at);
  return { forms, data: packed.toString('latin1') };
}

/** Copies, bit for bit, for one who may do with them as he likes. */
export function unpack({ forms, data }: Kept): Tensor[] {
  let at = 0;
  return forms.map(({ name, datatype, shape, length }, i) => {
    if (typeof data !== 'string') return { name, datatype, shape: shape.slice(), data: (data[i] as TensorData).slice() as TensorData };
    const own = allocate(datatype, length) as Exclude<TensorData, string[]>;
    bytesOf(own).write(data.slice(at, at + own.byteLength), 'latin1');
    at += own.byteLength;
    return { name, datatype, shape: shape.slice(), data: own };
  });
}

/** Bytes of the values. */
export function sizeOf({ data }: Kept): number {
  if (typeof data === 'string') return data.length;
  let bytes = 0;
  for (const values of data) {
    if (Array.isArray(values)) for (const value of values) bytes += 32 + 2 * value.length;
    else bytes += values.byteLength;
  }
  return bytes;
}
