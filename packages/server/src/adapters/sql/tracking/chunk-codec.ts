import { internal } from '../../../kernel/index.ts';
import type { Points } from '../../../tracking/index.ts';

/**
 * A segment: varint count; per column of steps and of times a mode byte, then zigzag varints of the deltas of deltas (mode 0), raw doubles
 * (mode 1, when a value is too large for exact deltas, or a fraction), or a byte k and the deltas of the column times 10^k (mode 2, fractions
 * of at most six digits); then the values as raw little-endian doubles, so NaN and infinities keep their bits. A blob is one segment or
 * several, one after the other: appending needs no decoding.
 */
const DELTA = 0;
const RAW = 1;
const DECIMAL = 2;
const MOST_DIGITS = 6;
/** Two differences of numbers below this stay exact in a double. */
const EXACT = 2 ** 50;

let scratch = new Uint8Array(64 * 1024);
let scratchView = new DataView(scratch.buffer);

function reserve(bytes: number): void {
  if (scratch.length >= bytes) return;
  scratch = new Uint8Array(Math.max(bytes, scratch.length * 2));
  scratchView = new DataView(scratch.buffer);
}

/** Encodes points [from, to) as one segment. */
export function encodeSegment({ steps, timestamps, values }: Points, from = 0, to = steps.length): Uint8Array {
  const count = to - from;
  reserve(18 + count * 28);
  let at = writeVarint(0, count);
  at = writeColumn(at, steps, from, to);
  at = writeColumn(at, timestamps, from, to);
  for (let i = from; i < to; i++, at += 8) scratchView.setFloat64(at, values[i] as number, true);
  return scratch.slice(0, at);
}

/** Decodes every segment of a blob; `count` is how many points they hold together. */
export function decodeSegments(data: Uint8Array, count: number): Points {
  const points: Points = { steps: new Float64Array(count), timestamps: new Float64Array(count), values: new Float64Array(count) };
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const cursor = { at: 0 };
  let filled = 0;
  while (cursor.at < data.length) {
    const n = readVarint(data, cursor);
    if (filled + n > count)
      throw internal('chunk_damaged', `A metric chunk holds more than its ${count} points; the database is damaged. Restore it from a backup.`);
    readColumn(data, view, cursor, points.steps, filled, n);
    readColumn(data, view, cursor, points.timestamps, filled, n);
    for (let i = 0; i < n; i++, cursor.at += 8) points.values[filled + i] = view.getFloat64(cursor.at, true);
    filled += n;
  }
  if (filled !== count)
    throw internal('chunk_damaged', `A metric chunk holds ${filled} points instead of ${count}; the database is damaged. Restore it from a backup.`);
  return points;
}

function writeColumn(start: number, column: Float64Array, from: number, to: number): number {
  let exact = true;
  let whole = true;
  for (let i = from; i < to; i++) {
    const value = column[i] as number;
    if (value > EXACT || value < -EXACT) exact = false;
    if (!Number.isInteger(value)) whole = false;
  }
  if (exact && whole) {
    scratch[start] = DELTA;
    return writeDeltas(start + 1, column, from, to);
  }
  const decimal = exact ? asDecimals(column.subarray(from, to)) : undefined;
  let at = start;
  if (decimal !== undefined) {
    scratch[at++] = DECIMAL;
    scratch[at++] = decimal.digits;
    return writeDeltas(at, decimal.scaled, 0, to - from);
  }
  scratch[at++] = RAW;
  for (let i = from; i < to; i++, at += 8) scratchView.setFloat64(at, column[i] as number, true);
  return at;
}

/** The column times the least power of ten that makes it whole, when dividing by it gives back each very number. */
function asDecimals(column: Float64Array): { digits: number; scaled: Float64Array } | undefined {
  const scaled = new Float64Array(column.length);
  for (let digits = 1; digits <= MOST_DIGITS; digits++) {
    const scale = 10 ** digits;
    const fits = column.every((value, i) => {
      const whole = Math.round(value * scale);
      scaled[i] = whole;
      return whole / scale === value && Math.abs(whole) <= EXACT;
    });
    if (fits) return { digits, scaled };
  }
  return undefined;
}

function writeDeltas(start: number, column: Float64Array, from: number, to: number): number {
  let at = start;
  let previous = 0;
  let delta = 0;
  for (let i = from; i < to; i++) {
    const value = column[i] as number;
    const nextDelta = value - previous;
    const change = nextDelta - delta;
    at = writeVarint(at, change >= 0 ? change * 2 : -change * 2 - 1);
    previous = value;
    delta = nextDelta;
  }
  return at;
}

function readColumn(data: Uint8Array, view: DataView, cursor: { at: number }, column: Float64Array, from: number, count: number): void {
  const mode = data[cursor.at++];
  if (mode === RAW) {
    for (let i = 0; i < count; i++, cursor.at += 8) column[from + i] = view.getFloat64(cursor.at, true);
    return;
  }
  if (mode === DECIMAL) {
    const scale = 10 ** (data[cursor.at++] as number);
    readDeltas(data, cursor, column, from, count);
    for (let i = from; i < from + count; i++) column[i] = (column[i] as number) / scale;
    return;
  }
  if (mode !== DELTA)
    throw internal('chunk_damaged', `A metric chunk is written in a way (${mode}) that is not known here; the database is damaged, or of a newer Binnacle.`);
  readDeltas(data, cursor, column, from, count);
}

function readDeltas(data: Uint8Array, cursor: { at: number }, column: Float64Array, from: number, count: number): void {
  let previous = 0;
  let delta = 0;
  let at = cursor.at;
  for (let i = 0; i < count; i++) {
    // The one-byte case first: steps and time-stamps at a steady pace.
    let zigzag = data[at++] as number;
    if (zigzag >= 128) {
      cursor.at = at - 1;
      zigzag = readVarint(data, cursor);
      at = cursor.at;
    }
    delta += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    previous += delta;
    column[from + i] = previous;
  }
  cursor.at = at;
}

function writeVarint(start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 128) {
    scratch[at++] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
  }
  scratch[at++] = rest;
  return at;
}

function readVarint(data: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = data[cursor.at++] as number;
    if (byte < 128) return value + byte * scale;
    value += (byte - 128) * scale;
    scale *= 128;
  }
}

/** A double's 8 bytes. */
export function doubleBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return bytes;
}
export const bytesToDouble = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
