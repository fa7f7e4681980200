/**
 * Just enough of the protobuf wire format (https://protobuf.dev/programming-guides/encoding/) to read and patch a graph. Fields that
 * we do not know are copied byte for byte, so that a model written by a newer ONNX than any schema of ours loses nothing, and weights
 * are never decoded.
 */

export interface Field {
  number: number;
  wire: 0 | 1 | 2 | 5;
  /** The value of a varint field, else 0n. */
  value: bigint;
  /** The payload of a length-delimited or fixed field; empty for a varint. */
  bytes: Uint8Array;
  /** The whole field with its tag, to be copied as it is. */
  raw: Uint8Array;
}

export class WireError extends Error {}

const EMPTY = new Uint8Array(0);

function varint(buffer: Uint8Array, at: number): { value: bigint; next: number } {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = buffer[at + i];
    if (byte === undefined) throw new WireError('it ends in the middle of a number');
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: at + i + 1 };
  }
  throw new WireError('it holds a number of more than 64 bits');
}

/**
 * The fields of one message, in file order; `only` limits them to some numbers. Throws WireError when the bytes are not a message or
 * end too early.
 */
export function fields(buffer: Uint8Array, only?: readonly number[]): Field[] {
  const out: Field[] = [];
  let at = 0;
  while (at < buffer.length) {
    const start = at;
    let tag = buffer[at] ?? 0;
    let from = at + 1;
    if (tag >= 0x80) {
      const read = varint(buffer, at);
      if (read.value > 0xffffffffn) throw new WireError(`it holds an impossible field number at byte ${start}`);
      tag = Number(read.value);
      from = read.next;
    }
    const number = tag >>> 3;
    const wire = tag & 7;
    if (number < 1) throw new WireError(`it holds an impossible field number at byte ${start}`);
    const wanted = only === undefined || only.includes(number);
    let value = 0n;
    let to = from;
    if (wire === 0) {
      if (wanted || (buffer[from] ?? 0x80) >= 0x80) {
        const read = varint(buffer, from);
        value = read.value;
        from = read.next;
      } else from += 1;
      to = from;
    } else if (wire === 1) to = from + 8;
    else if (wire === 5) to = from + 4;
    else if (wire === 2) {
      const small = buffer[from] ?? 0x80;
      const length = small < 0x80 ? { value: small, next: from + 1 } : varint(buffer, from);
      from = length.next;
      // Compared before the conversion: a hostile length must not lose its high bits.
      if (length.value > buffer.length - from)
        throw new WireError(`a field claims ${length.value} bytes where ${buffer.length - from} are left; the file is truncated`);
      to = from + Number(length.value);
    } else throw new WireError(`it holds an unknown wire type ${wire} at byte ${start}`);
    if (to > buffer.length) throw new WireError('it is truncated');
    if (wanted)
      out.push({ number, wire: wire as Field['wire'], value, bytes: from === to ? EMPTY : buffer.subarray(from, to), raw: buffer.subarray(start, to) });
    at = to;
  }
  return out;
}

function encodeVarint(value: bigint): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    out.push(rest === 0n ? byte : byte | 0x80);
  } while (rest !== 0n);
  return out;
}

export const varintField = (number: number, value: bigint | number): Uint8Array =>
  Uint8Array.from([...encodeVarint(BigInt(number) << 3n), ...encodeVarint(BigInt.asUintN(64, BigInt(value)))]);

export function bytesField(number: number, payload: Uint8Array | string): Uint8Array {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
  const head = [...encodeVarint((BigInt(number) << 3n) | 2n), ...encodeVarint(BigInt(body.length))];
  const out = new Uint8Array(head.length + body.length);
  out.set(head);
  out.set(body, head.length);
  return out;
}

export const message = (parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);

const decoder = new TextDecoder('utf-8', { fatal: true });
export function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new WireError('it holds a name that is not UTF-8');
  }
}

/** The first (or, as protobuf says for scalars, last) field of a number. */
export const last = (all: Field[], number: number): Field | undefined => all.findLast((f) => f.number === number);
export const stringOf = (all: Field[], number: number): string => {
  const field = last(all, number);
  return field === undefined ? '' : text(field.bytes);
};
