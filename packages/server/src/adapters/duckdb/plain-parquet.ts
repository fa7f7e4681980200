import { open } from 'node:fs/promises';

/**
 * The smallest Parquet file that holds some columns: one row group, one page a column, required values, plain, uncompressed. Typed arrays
 * go to the file as they are, without a copy and without holding the event loop, which no way of appending to a table offers.
 * Format: parquet.apache.org (file layout, Thrift compact protocol).
 */
export interface PlainColumn {
  name: string;
  values: PlainValues;
}
export type PlainValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];

const INT32 = 1;
const INT64 = 2;
const FLOAT = 4;
const DOUBLE = 5;
const BYTE_ARRAY = 6;

/** Throws what the file system throws. The file is not synced: it is meant to be read at once and removed. */
export async function writePlainParquet(file: string, rows: number, columns: readonly PlainColumn[]): Promise<void> {
  const pieces: Uint8Array[] = [Buffer.from('PAR1')];
  let offset = 4;
  const chunks = columns.map(({ name, values }) => {
    const { bytes, physical, converted } = encode(values);
    const header = new Compact().struct((page) =>
      page
        .int(1, 0)
        .int(2, bytes.byteLength)
        .int(3, bytes.byteLength)
        .field(5, (data) => data.int(1, rows).int(2, 0).int(3, 3).int(4, 3)),
    );
    const at = offset;
    pieces.push(header, bytes);
    offset += header.byteLength + bytes.byteLength;
    return { name, physical, converted, at, size: offset - at };
  });
  const footer = new Compact().struct((meta) => {
    meta.int(1, 1);
    meta.list(2, [
      (root) => root.text(4, 'schema').int(5, columns.length),
      ...chunks.map(({ name, physical, converted }) => (element: Compact) => {
        element.int(1, physical).int(3, 0).text(4, name);
        if (converted !== undefined) element.int(6, converted);
      }),
    ]);
    meta.long(3, rows);
    meta.list(4, [
      (group) => {
        group.list(
          1,
          chunks.map(({ name, physical, at, size }) => (chunk: Compact) => {
            chunk
              .long(2, at)
              .field(3, (column) => column.int(1, physical).ints(2, [0]).texts(3, [name]).int(4, 0).long(5, rows).long(6, size).long(7, size).long(9, at));
          }),
        );
        group.long(2, offset - 4).long(3, rows);
      },
    ]);
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.byteLength);
  pieces.push(footer, length, Buffer.from('PAR1'));
  const handle = await open(file, 'wx');
  try {
    // Each goes on where the last one ended, and is written in full.
    for (const piece of pieces) await handle.writeFile(piece);
  } finally {
    await handle.close();
  }
}

/** Plain encoding, with the physical type and, where that is not all, the converted one. */
function encode(values: PlainValues): { bytes: Uint8Array; physical: number; converted?: number } {
  if (Array.isArray(values)) return { bytes: encodeTexts(values), physical: BYTE_ARRAY, converted: 0 };
  const raw = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
  if (values instanceof Float32Array) return { bytes: raw(values), physical: FLOAT };
  if (values instanceof Float64Array) return { bytes: raw(values), physical: DOUBLE };
  if (values instanceof BigInt64Array) return { bytes: raw(values), physical: INT64 };
  if (values instanceof BigUint64Array) return { bytes: raw(values), physical: INT64, converted: 14 };
  if (values instanceof Int32Array) return { bytes: raw(values), physical: INT32 };
  if (values instanceof Uint32Array) return { bytes: raw(values), physical: INT32, converted: 13 };
  // Smaller integers take four bytes each.
  const converted = values instanceof Uint8Array ? 11 : values instanceof Uint16Array ? 12 : values instanceof Int8Array ? 15 : 16;
  return { bytes: raw(Int32Array.from(values)), physical: INT32, converted };
}

function encodeTexts(values: readonly string[]): Uint8Array {
  let size = 0;
  for (const value of values) size += 4 + Buffer.byteLength(value);
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const value of values) {
    const length = out.write(value, at + 4);
    out.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return out;
}

/** Thrift's compact protocol, as much of it as a footer needs. */
class Compact {
  readonly #bytes: number[] = [];
  #last = 0;

  struct(fill: (struct: Compact) => void): Uint8Array {
    fill(this);
    this.#bytes.push(0);
    return Uint8Array.from(this.#bytes);
  }
  int(id: number, value: number): this {
    return this.#header(id, 5).#zigzag(value);
  }
  long(id: number, value: number): this {
    return this.#header(id, 6).#zigzag(value);
  }
  text(id: number, value: string): this {
    return this.#header(id, 8).#text(value);
  }
  field(id: number, fill: (struct: Compact) => void): this {
    return this.#header(id, 12).#nested(fill);
  }
  list(id: number, items: readonly ((struct: Compact) => void)[]): this {
    this.#header(id, 9).#listHeader(items.length, 12);
    for (const item of items) this.#nested(item);
    return this;
  }
  ints(id: number, values: readonly number[]): this {
    this.#header(id, 9).#listHeader(values.length, 5);
    for (const value of values) this.#zigzag(value);
    return this;
  }
  texts(id: number, values: readonly string[]): this {
    this.#header(id, 9).#listHeader(values.length, 8);
    for (const value of values) this.#text(value);
    return this;
  }

  #header(id: number, type: number): this {
    this.#bytes.push(((id - this.#last) << 4) | type);
    this.#last = id;
    return this;
  }
  #listHeader(length: number, type: number): void {
    if (length < 15) this.#bytes.push((length << 4) | type);
    else {
      this.#bytes.push(0xf0 | type);
      this.#varint(length);
    }
  }
  #nested(fill: (struct: Compact) => void): this {
    const inner = new Compact();
    for (const byte of inner.struct(fill)) this.#bytes.push(byte);
    return this;
  }
  #text(value: string): this {
    const bytes = Buffer.from(value);
    this.#varint(bytes.length);
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }
  #zigzag(value: number): this {
    return this.#varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }
  #varint(value: number): this {
    let rest = value;
    while (rest >= 128) {
      this.#bytes.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes.push(rest);
    return this;
  }
}
