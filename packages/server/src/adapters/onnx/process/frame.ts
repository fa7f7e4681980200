import { TENSOR_ARRAYS, type Datatype, type Tensor, type TensorData } from '../../../serving/tensor.ts';

/**
 * What a model's process and the server say to each other over a socket: a head of 32 bytes, then a text (JSON, in frames that carry no tensors'
 * values in it), numbers (float64: shapes and lengths) and the tensors' own bytes, each at a multiple of 8. Byte order is the machine's.
 */
export const HEAD_BYTES = 32;

export type FrameKind = 'open' | 'opened' | 'failed' | 'run' | 'result' | 'error';
const KINDS: readonly FrameKind[] = ['open', 'opened', 'failed', 'run', 'result', 'error'];

export interface Frame {
  kind: FrameKind;
  id: number;
  /** Microseconds of the run, in a result. */
  micros: number;
  text: string;
  /** The outputs asked for, by their place in the graph. */
  outputs: number[];
  /** `name` is not sent: the receiver knows it by its place. */
  tensors: { place: number; tensor: Tensor }[];
}

export interface Head {
  kind: FrameKind;
  id: number;
  micros: number;
  textBytes: number;
  numbers: number;
  bodyBytes: number;
}

const DATATYPES: readonly Datatype[] = ['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64', 'BYTES'];
const NOTHING = new Uint8Array(0);

/** A frame as pieces to be written one after the other; tensors are not copied. */
export function encode(frame: Pick<Frame, 'kind'> & Partial<Frame>): Uint8Array[] {
  const { kind, id = 0, micros = 0, text = '', outputs = [], tensors = [] } = frame;
  const words = Buffer.from(text, 'utf8');
  const numbers: number[] = [outputs.length, ...outputs, tensors.length];
  const bodies: Uint8Array[] = [];
  let bodyBytes = 0;
  for (const { place, tensor } of tensors) {
    const bytes = bytesOf(tensor);
    numbers.push(place, DATATYPES.indexOf(tensor.datatype), tensor.shape.length, ...tensor.shape, bytes.byteLength);
    bodies.push(bytes);
    const size = Math.ceil(bytes.byteLength / 8) * 8;
    if (size > bytes.byteLength) bodies.push(new Uint8Array(size - bytes.byteLength));
    bodyBytes += size;
  }
  const values = Float64Array.from(numbers);
  const head = new Uint8Array(HEAD_BYTES + words.length + values.byteLength);
  head.set(words, HEAD_BYTES);
  head.set(new Uint8Array(values.buffer), HEAD_BYTES + words.length);
  const view = new DataView(head.buffer);
  view.setUint32(0, KINDS.indexOf(kind), true);
  view.setUint32(4, id, true);
  view.setFloat64(8, micros, true);
  view.setUint32(16, words.length, true);
  view.setUint32(20, numbers.length, true);
  view.setFloat64(24, bodyBytes, true);
  return [head, ...bodies.filter((body) => body.byteLength > 0)];
}

export function decodeHead(bytes: Uint8Array): Head {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES);
  const kind = KINDS[view.getUint32(0, true)];
  if (kind === undefined) throw new Error('what came from the other process is no frame');
  return {
    kind,
    id: view.getUint32(4, true),
    micros: view.getFloat64(8, true),
    textBytes: view.getUint32(16, true),
    numbers: view.getUint32(20, true),
    bodyBytes: view.getFloat64(24, true),
  };
}

/** `rest` is the text and the numbers; the tensors are views of `body`. */
export function decode(head: Head, rest: Uint8Array, body: ArrayBuffer): Frame {
  const text = head.textBytes === 0 ? '' : Buffer.from(rest.buffer, rest.byteOffset, head.textBytes).toString('utf8');
  // Copied: the text before may have any length, and float64 wants its own.
  const numbers = new Float64Array(rest.slice(head.textBytes, head.textBytes + head.numbers * 8).buffer);
  let at = 0;
  const next = (): number => numbers[at++] ?? 0;
  // What is counted is in the numbers, too: a count beyond them is no count.
  const count = (): number => {
    const value = next();
    if (!Number.isInteger(value) || value < 0 || value > numbers.length) throw new Error('what came from the other process counts more than it has');
    return value;
  };
  const outputs = Array.from({ length: count() }, next);
  let offset = 0;
  const tensors = Array.from({ length: count() }, () => {
    const place = next();
    const datatype = DATATYPES[next()] as Datatype;
    const shape = Array.from({ length: count() }, next);
    const bytes = next();
    const data = dataOf(datatype, body, offset, bytes);
    offset += Math.ceil(bytes / 8) * 8;
    return { place, tensor: { name: '', datatype, shape, data } };
  });
  return { kind: head.kind, id: head.id, micros: head.micros, text, outputs, tensors };
}

/** BYTES as Open Inference writes them: the length of each in four bytes, then UTF-8. */
function bytesOf({ datatype, data }: Tensor): Uint8Array {
  if (datatype !== 'BYTES') {
    const { buffer, byteOffset, byteLength } = data as Exclude<TensorData, string[]>;
    return byteLength === 0 ? NOTHING : new Uint8Array(buffer, byteOffset, byteLength);
  }
  const strings = data as string[];
  let size = 0;
  for (const value of strings) size += 4 + Buffer.byteLength(value);
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const value of strings) {
    const length = out.write(value, at + 4);
    out.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return out;
}

function dataOf(datatype: Datatype, body: ArrayBuffer, offset: number, bytes: number): TensorData {
  if (datatype !== 'BYTES') {
    const Values = TENSOR_ARRAYS[datatype];
    return new Values(body, offset, bytes / Values.BYTES_PER_ELEMENT);
  }
  const all = Buffer.from(body, offset, bytes);
  const out: string[] = [];
  for (let at = 0; at < bytes; ) {
    const length = all.readUInt32LE(at);
    out.push(all.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return out;
}
