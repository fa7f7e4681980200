import type { Field } from './wire.ts';
import { fields, stringOf } from './wire.ts';

/** Of all labels of an output, as text: what a model keeps is kept with its version. */
const MAX_LABELS_LENGTH = 2 ** 20;

/** How a ZipMap node calls its classes, in order; empty where it names none. Labels of more than a megabyte are counted, not kept. */
export function zipMapLabels(node: Field): { count: number; labels: string[] } {
  let labels: string[] = [];
  let count = 0;
  for (const attribute of fields(node.bytes, [5])) {
    const values = fields(attribute.bytes);
    const name = stringOf(values, 1);
    if (name !== 'classlabels_strings' && name !== 'classlabels_int64s') continue;
    const number = name === 'classlabels_strings' ? 9 : 8;
    const parts = values.filter((field) => field.number === number);
    count = number === 9 ? parts.length : parts.reduce((sum, field) => sum + (field.wire === 2 ? countVarints(field.bytes) : 1), 0);
    const length = parts.reduce((sum, { bytes }) => sum + bytes.length, 0) + count;
    // A label that is no UTF-8 must not keep the model from being served.
    if (length > MAX_LABELS_LENGTH) labels = [];
    else labels = number === 9 ? parts.map(({ bytes }) => Buffer.from(bytes).toString('utf8')) : parts.flatMap(integers);
  }
  return { count, labels };
}

/** A repeated int64, which may be packed. */
const integers = ({ wire, value, bytes }: Field): string[] => (wire === 2 ? varints(bytes) : [value]).map((each) => String(BigInt.asIntN(64, each)));

function varints(bytes: Uint8Array): bigint[] {
  const out: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80 && shift < 70n) continue;
    out.push(value);
    value = 0n;
    shift = 0n;
  }
  return out;
}

// The last byte of each varint has its high bit clear.
const countVarints = (bytes: Uint8Array): number => bytes.reduce((n, byte) => n + (byte < 0x80 ? 1 : 0), 0);
