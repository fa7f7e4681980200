import type { DuckDBDataChunk } from '@duckdb/node-api';

/**
 * Columns of DuckDB's data chunks as typed arrays. A vector of the driver holds its values in a typed array over the engine's memory
 * (`items`), its nulls in a bit mask and its strings as 16-byte records; reading those, instead of value by value, is what makes a
 * table cheap in JavaScript. The fields are the driver's own, not its public face, which is why its version is pinned exactly.
 */
interface RawVector {
  items: NumberArray;
  validity: { data: BigUint64Array | null; offset: number };
  dataView: DataView;
  getItem(index: number): unknown;
  flush(): void;
}
export type NumberArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

export const vectorOf = (chunk: DuckDBDataChunk, column: number): RawVector => chunk.getColumnVector(column) as unknown as RawVector;

/** Calls back for each null of the first `rows` values. */
export function eachNull({ validity }: RawVector, rows: number, found: (row: number) => void): void {
  const { data, offset } = validity;
  if (data === null) return;
  const bits = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let row = 0; row < rows; row++) {
    const bit = offset + row;
    if (((bits[bit >> 3] as number) & (1 << (bit & 7))) === 0) found(row);
  }
}

/** Copies `rows` numbers to `target[at…]`; floating point becomes NaN where null, integers become 0. */
export function copyNumbers(vector: RawVector, rows: number, target: NumberArray, at: number): void {
  target.set(vector.items.subarray(0, rows) as never, at);
  if (vector.validity.data === null) return;
  const missing =
    target instanceof Float32Array || target instanceof Float64Array
      ? Number.NaN
      : target instanceof BigInt64Array || target instanceof BigUint64Array
        ? 0n
        : 0;
  eachNull(vector, rows, (row) => {
    target[at + row] = missing as never;
  });
}

const SLOTS = 4096;

/** Reads strings; short ones (up to 12 ASCII characters) come from a cache, so that a column of few values allocates almost nothing. */
export class StringReader {
  readonly #keys = new Uint32Array(SLOTS * 4);
  readonly #values: (string | undefined)[] = [];

  copy(vector: RawVector, rows: number, target: (string | null)[], at: number): void {
    const { buffer, byteOffset } = vector.dataView;
    const words = new Uint32Array(buffer, byteOffset, rows * 4);
    for (let row = 0; row < rows; row++) {
      const w = row * 4;
      target[at + row] = (words[w] as number) <= 12 ? this.#short(vector, words, w, row) : (vector.getItem(row) as string);
    }
    eachNull(vector, rows, (row) => {
      target[at + row] = null;
    });
  }

  #short(vector: RawVector, words: Uint32Array, w: number, row: number): string {
    const length = words[w] as number;
    if (length === 0) return '';
    const a = words[w + 1] as number;
    const b = words[w + 2] as number;
    const c = words[w + 3] as number;
    const slot = ((Math.imul(a ^ length, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35)) >>> 13) & (SLOTS - 1);
    const k = slot * 4;
    const keys = this.#keys;
    const cached = this.#values[slot];
    if (cached !== undefined && keys[k] === length && keys[k + 1] === a && keys[k + 2] === b && keys[k + 3] === c) return cached;
    const { buffer, byteOffset } = vector.dataView;
    const text = Buffer.from(buffer as ArrayBuffer, byteOffset + row * 16 + 4, length).toString('utf8');
    keys[k] = length;
    keys[k + 1] = a;
    keys[k + 2] = b;
    keys[k + 3] = c;
    this.#values[slot] = text;
    return text;
  }
}

/** Engine chunks handled between two turns of the event loop: about a millisecond, so that requests served beside a batch job do not wait. */
const CHUNKS_A_TURN = 8;
/** Lets the event loop turn after every few chunks. */
export const breathe = (chunk: number): Promise<void> | undefined =>
  chunk % CHUNKS_A_TURN === CHUNKS_A_TURN - 1 ? new Promise((resolve) => setImmediate(resolve)) : undefined;
