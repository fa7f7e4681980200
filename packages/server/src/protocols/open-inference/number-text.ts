/**
 * Float32 values as JSON text with the fewest digits that read back as the same value: V8 knows doubles only, writes 0.10000000149011612 for the
 * float 0.1, and takes five times as long.
 */

const POW = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);
/** '00' … '99'. */
const PAIRS = new Uint8Array(200);
for (let i = 0; i < 100; i++) {
  PAIRS[2 * i] = 48 + Math.floor(i / 10);
  PAIRS[2 * i + 1] = 48 + (i % 10);
}
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const COMMA = 44;
/** Of any value, with sign, point and exponent: -1.23456789e-38. Doubles' digits in the slow form: 24. */
const MAX_CHARS = 26;

/** Writes a whole number below 2^31 in `digits` digits, zeros before it, so that it ends before `end`. */
function writeDigits(out: Uint8Array, end: number, value: number, digits: number): void {
  let rest = value | 0;
  let at = end | 0;
  let left = digits | 0;
  for (; left > 1; left -= 2) {
    const next = (rest / 100) | 0;
    const pair = (rest - next * 100) << 1;
    out[at - 1] = PAIRS[pair + 1] as number;
    out[at - 2] = PAIRS[pair] as number;
    at -= 2;
    rest = next;
  }
  if (left === 1) out[at - 1] = ZERO + rest;
}

function digitsOf(value: number): number {
  if (value < 1e4) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1e7) return value < 1e6 ? (value < 1e5 ? 5 : 6) : 7;
  return value < 1e9 ? (value < 1e8 ? 8 : 9) : 10;
}

function writeAscii(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** One finite float32 value at `at`; returns where it ends. */
function writeFloat(out: Uint8Array, at: number, given: number): number {
  let value = given;
  let pos = at;
  if (value < 0) {
    out[pos++] = MINUS;
    value = -value;
  }
  if (value < 1e9 && value === Math.floor(value)) {
    const digits = digitsOf(value);
    writeDigits(out, pos + digits, value | 0, digits);
    return pos + digits;
  }
  if (value >= 1e9 || value < 1e-16) return writeAscii(out, pos, String(value));
  // `places` after the point make seven digits; nine are always enough.
  let places = 6;
  if (value >= 1) for (let bound = 10; value >= bound; bound *= 10) places--;
  else for (let scaled = value; scaled < 1; scaled *= 10) places++;
  let number = shortened(value, places);
  if (number < 0) number = shortened(value, ++places);
  if (number < 0) number = shortened(value, ++places);
  if (number < 0) return writeAscii(out, pos, String(value));
  for (let tenth = (number / 10) | 0; tenth * 10 === number && places > 0; tenth = (number / 10) | 0) {
    number = tenth;
    places--;
  }
  if (value < 1e-6) {
    // d.ddd…e-n
    const digits = digitsOf(number);
    out[pos] = ZERO + Math.floor(number / (POW[digits - 1] as number));
    if (digits > 1) {
      const end = pos + 1 + digits;
      writeDigits(out, end, number % (POW[digits - 1] as number), digits - 1);
      out[pos + 1] = POINT;
      pos = end;
    } else pos++;
    return writeAscii(out, pos, `e-${places - digits + 1}`);
  }
  if (value < 1) {
    out[pos] = ZERO;
    out[pos + 1] = POINT;
    writeDigits(out, pos + 2 + places, number, places);
    return pos + 2 + places;
  }
  const power = POW[places] as number;
  const whole = (number / power) | 0;
  const before = digitsOf(whole);
  writeDigits(out, pos + before, whole, before);
  pos += before;
  out[pos] = POINT;
  writeDigits(out, pos + 1 + places, number - whole * power, places);
  return pos + 1 + places;
}

/** A value below 1e9 with so many places after the point, as a whole number; -1 when that does not read back as the value. */
function shortened(value: number, places: number): number {
  const power = POW[places] as number;
  const number = (value * power + 0.5) | 0;
  return Math.fround(number / power) === value ? number : -1;
}

const NULL = 'null';

/** Writes `[…]` of float32 values as ASCII; NaN and infinities, which JSON does not have, become null. `out` has room for `roomFor(values)`. Returns the length. */
export function writeFloats(out: Uint8Array, values: Float32Array): number {
  let at = 0;
  out[at++] = 91;
  for (let i = 0; i < values.length; i++) {
    if (i > 0) out[at++] = COMMA;
    const value = values[i] as number;
    // Not finite: the difference is NaN.
    at = value - value === 0 ? writeFloat(out, at, value) : writeAscii(out, at, NULL);
  }
  out[at++] = 93;
  return at;
}

export const roomFor = (values: Float32Array): number => values.length * MAX_CHARS + 2;
