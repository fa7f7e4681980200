import type { DuckDBAppender, DuckDBType } from '@duckdb/node-api';
import { ABSENT, LOG_NUMBERS, LOG_TEXTS, type LogRows } from '../../monitoring/log-rows.ts';
import { duckDbApi } from './instance.ts';

/**
 * Rows of the prediction log into data chunks of the engine, by column and by memory: numbers are copied as arrays, and all texts of a chunk as
 * one, into which the records of the strings then point. A call into the engine for each of eighteen values a row would take longer than the
 * predictions that are logged.
 *
 * A record (`duckdb_string_t`) is 16 bytes: the length, then up to 12 bytes in place, or the first four and a pointer.
 */
type Bindings = typeof import('@duckdb/node-bindings');
type Vector = Parameters<Bindings['vector_get_data']>[0];

/** An engine's vector holds so many. */
const CHUNK_ROWS = 2048;
const RECORD = 16;
const INLINE = 12;
/** Bytes of texts after which a chunk ends early: one that is a batch of documents need not be in memory twice. */
const CHUNK_BYTES = 32 * 1024 * 1024;

/** Appends rows from `from` on, as many as one chunk takes; returns the next. `textFrom` is where their texts begin. */
export type AppendChunk = (appender: DuckDBAppender, rows: LogRows, from: number, textFrom: number) => { next: number; textNext: number };

/** The order of the columns is the table's (prediction-log-tables.ts). */
export async function chunkAppender(): Promise<AppendChunk> {
  const [api, { default: engine }] = await Promise.all([duckDbApi(), import('@duckdb/node-bindings')]);
  const { VARCHAR, INTEGER, BIGINT, DOUBLE } = api;
  const types: DuckDBType[] = [
    [VARCHAR, VARCHAR, INTEGER, BIGINT, BIGINT, VARCHAR, VARCHAR, INTEGER, VARCHAR],
    [DOUBLE, DOUBLE, DOUBLE, VARCHAR, VARCHAR, DOUBLE, DOUBLE, VARCHAR, BIGINT],
  ].flat();

  return (appender, rows, from, textFrom) => {
    const { next, textNext } = span(rows, from, textFrom);
    const count = next - from;
    const chunk = api.DuckDBDataChunk.create(types, count);
    const vectors = types.map((_, column) => engine.data_chunk_get_vector(chunk.chunk, column));
    const fill = (column: number, values: ArrayBufferView<ArrayBuffer>, nulls?: Uint8Array<ArrayBuffer>): void => {
      const vector = vectors[column] as Vector;
      engine.copy_data_to_vector(vector, 0, values.buffer, values.byteOffset, values.byteLength);
      if (nulls === undefined) return;
      engine.vector_ensure_validity_writable(vector);
      engine.copy_data_to_vector_validity(vector, 0, nulls.buffer, nulls.byteOffset, nulls.byteLength);
    };

    const texts = new Texts(rows, textFrom, textNext);
    const home = vectors[12] as Vector;
    engine.vector_assign_string_element_len(home, 0, texts.bytes);
    const at = engine.vector_get_data(home, RECORD);
    texts.address = new DataView(at.buffer, at.byteOffset, RECORD).getBigUint64(8, true);
    for (const [text, column] of TEXT_COLUMNS.entries()) {
      const { records, nulls } = texts.column(text, from, count);
      fill(column, records, nulls);
    }
    for (const [column, name] of SHARED_TEXTS) fill(column, texts.shared(name, from, count));

    const { contexts } = rows;
    const ofContext = (read: (context: LogRows['contexts'][number]) => number) => {
      const values = contexts.map(read);
      return (row: number): number => values[rows.numbers[row * LOG_NUMBERS] as number] as number;
    };
    const number = (field: number) => (row: number) => rows.numbers[row * LOG_NUMBERS + field] as number;
    const each = <T extends Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(into: T, value: (row: number) => number): T => {
      for (let i = 0; i < count; i++) into[i] = value(from + i);
      return into;
    };
    fill(2, each(new Int32Array(count), number(2)));
    fill(3, bigints(count, from, number(3)));
    fill(4, bigints(count, from, number(4)));
    fill(
      7,
      each(
        new Int32Array(count),
        ofContext(({ version }) => version),
      ),
    );
    fill(
      9,
      each(
        new Float64Array(count),
        ofContext(({ weight }) => weight),
      ),
    );
    fill(
      10,
      each(
        new Float64Array(count),
        ofContext(({ samplingFraction }) => samplingFraction),
      ),
    );
    fill(11, each(new Float64Array(count), number(5)));
    for (const [column, field] of [
      [14, 6],
      [15, 7],
    ] as const) {
      const values = each(new Float64Array(count), number(field));
      fill(
        column,
        values,
        missing(count, (i) => Number.isNaN(values[i])),
      );
    }
    fill(17, bigints(count, from, number(1)));
    appender.appendDataChunk(chunk);
    return { next, textNext };
  };
}

/** Where the texts of a row go: request id, prediction id, features, prediction. */
const TEXT_COLUMNS = [1, 0, 12, 13] as const;
const SHARED_TEXTS = [
  [5, 'endpoint'],
  [6, 'model'],
  [8, 'source'],
  [16, 'session'],
] as const;

/** The rows of one chunk, and where their texts end. */
function span({ rows, lengths }: LogRows, from: number, textFrom: number): { next: number; textNext: number } {
  let next = from;
  let textNext = textFrom;
  while (next < rows && next - from < CHUNK_ROWS && textNext - textFrom < CHUNK_BYTES) {
    for (let i = next * LOG_TEXTS; i < (next + 1) * LOG_TEXTS; i++) textNext += Math.max(0, lengths[i] as number);
    next++;
  }
  return { next, textNext };
}

/** A mask of the engine: a bit for each value, 0 where it is missing; whole words of 64. Undefined when none is. */
function missing(count: number, is: (index: number) => boolean): Uint8Array<ArrayBuffer> | undefined {
  let mask: Uint8Array<ArrayBuffer> | undefined;
  for (let i = 0; i < count; i++) {
    if (!is(i)) continue;
    mask ??= new Uint8Array(Math.ceil(count / 64) * 8).fill(255);
    (mask[i >> 3] as number) &= ~(1 << (i & 7));
  }
  return mask;
}

/** Whole numbers up to 2^53 as 64-bit integers, without a BigInt each. */
function bigints(count: number, from: number, value: (row: number) => number): Int32Array<ArrayBuffer> {
  const words = new Int32Array(count * 2);
  for (let i = 0; i < count; i++) {
    const number = value(from + i);
    const high = Math.floor(number / 4294967296);
    words[2 * i] = number - high * 4294967296;
    words[2 * i + 1] = high;
  }
  return words;
}

/** The texts of a chunk, one after the other, and the records that point at them. */
class Texts {
  readonly bytes: Buffer<ArrayBuffer>;
  /** Where the engine keeps the bytes. */
  address = 0n;
  readonly #rows: LogRows;
  /** Texts of the contexts and where they begin. */
  readonly #shared = new Map<string, { at: number; length: number }>();

  constructor(rows: LogRows, from: number, to: number) {
    this.#rows = rows;
    const { texts } = rows;
    const ends: Buffer[] = [];
    let end = to - from;
    for (const context of rows.contexts)
      for (const [, name] of SHARED_TEXTS) {
        if (this.#shared.has(context[name])) continue;
        const text = Buffer.from(context[name]);
        this.#shared.set(context[name], { at: end, length: text.length });
        ends.push(text);
        end += text.length;
      }
    // With room behind, for four bytes are read of each, and so that it is always too long to be held in its record.
    this.bytes = Buffer.allocUnsafeSlow(end + RECORD).fill(32, end);
    this.bytes.set(texts.subarray(from, to));
    let at = to - from;
    for (const text of ends) at += text.copy(this.bytes, at);
  }

  /** One of the four texts of each row, from the chunk's first row on. */
  column(text: number, from: number, count: number): { records: Uint8Array<ArrayBuffer>; nulls: Uint8Array<ArrayBuffer> | undefined } {
    const { lengths } = this.#rows;
    const records = new Records(count, this.bytes, this.address);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const first = (from + i) * LOG_TEXTS;
      for (let k = 0; k < LOG_TEXTS; k++) {
        const length = lengths[first + k] as number;
        if (k === text && length !== ABSENT) records.set(i, at, length);
        if (length > 0) at += length;
      }
    }
    return { records: records.bytes, nulls: missing(count, (i) => lengths[(from + i) * LOG_TEXTS + text] === ABSENT) };
  }

  shared(name: (typeof SHARED_TEXTS)[number][1], from: number, count: number): Uint8Array<ArrayBuffer> {
    const { contexts, numbers } = this.#rows;
    const places = contexts.map((context) => this.#shared.get(context[name]) as { at: number; length: number });
    const records = new Records(count, this.bytes, this.address);
    for (let i = 0; i < count; i++) {
      const { at, length } = places[numbers[(from + i) * LOG_NUMBERS] as number] as { at: number; length: number };
      records.set(i, at, length);
    }
    return records.bytes;
  }
}

class Records {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array;
  readonly #source: Buffer;
  readonly #low: number;
  readonly #high: number;

  constructor(count: number, source: Buffer, address: bigint) {
    this.#words = new Uint32Array(count * 4);
    this.bytes = new Uint8Array(this.#words.buffer as ArrayBuffer);
    this.#source = source;
    this.#low = Number(address & 0xffffffffn);
    this.#high = Number(address >> 32n);
  }

  set(index: number, at: number, length: number): void {
    const words = this.#words;
    const word = index * 4;
    words[word] = length;
    if (length <= INLINE) {
      const byte = word * 4 + 4;
      for (let i = 0; i < length; i++) this.bytes[byte + i] = this.#source[at + i] as number;
      return;
    }
    words[word + 1] = this.#source.readUInt32LE(at);
    const low = this.#low + at;
    words[word + 2] = low % 4294967296;
    words[word + 3] = this.#high + Math.floor(low / 4294967296);
  }
}
