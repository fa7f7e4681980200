/**
 * A flat JSON list of numbers as float32 values, straight from the bytes: no text, no list of doubles, no garbage. Exact: a number whose digits
 * do not decide the nearest float beyond doubt is read by V8.
 */

const POW = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);
/** A rounding error of a few units in the last place of a double to either side. */
const UP = 1 + 2 ** -51;
const DOWN = 1 - 2 ** -51;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** True when the four bytes are digits. */
const fourDigits = (word: number): boolean => ((word & 0xf0f0f0f0) | 0) === 0x30303030 && (((word + 0x06060606) & 0xf0f0f0f0) | 0) === 0x30303030;
/** Four digits (the first in the lowest byte) as a number. */
function valueOfFour(word: number): number {
  const digits = word & 0x0f0f0f0f;
  const pairs = (Math.imul(digits, 10) + (digits >>> 8)) & 0x00ff00ff;
  return (Math.imul(pairs, 100) + (pairs >>> 16)) & 0xffff;
}

/**
 * The list between `start` (its bracket) and `end` (the closing one) of `bytes`. Undefined when it is no list of `count` numbers: then the caller
 * reads it the slow way and says what is wrong.
 */
export function floatsFromList(bytes: Buffer, start: number, end: number, count: number): Float32Array | undefined {
  // Each value takes a digit and a comma, so that a claim of gigabytes makes no room; words are read up to three bytes behind the end.
  if (count * 2 - 1 > end - start || end + 4 > bytes.length) return undefined;
  const out = new Float32Array(count);
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start + 1;
  for (let n = 0; n < count; n++) {
    let byte = bytes[at] as number;
    while (byte === 32 || byte === 10 || byte === 13 || byte === 9) byte = bytes[++at] as number;
    const from = at;
    const negative = byte === 45;
    if (negative) byte = bytes[++at] as number;
    let digit = byte - 48;
    if (digit < 0 || digit > 9) return undefined;
    // At most nine digits in `high`, then nine in `low`: both fit 32 bits.
    let high = digit;
    let places = 0;
    let plain = true;
    digit = (bytes[++at] as number) - 48;
    if (high === 0 && digit >= 0 && digit <= 9) return undefined;
    let whole = 1;
    for (; whole < 9 && digit >= 0 && digit <= 9; whole++) {
      high = (Math.imul(high, 10) + digit) | 0;
      digit = (bytes[++at] as number) - 48;
    }
    let low = 0;
    let lowDigits = 0;
    if (digit === -2) {
      digit = (bytes[++at] as number) - 48;
      if (digit < 0 || digit > 9) return undefined;
      for (let room = 9 - whole; room >= 4; room -= 4) {
        const word = words.getInt32(at, true);
        if (!fourDigits(word)) break;
        high = (Math.imul(high, 10_000) + valueOfFour(word)) | 0;
        at += 4;
        places += 4;
      }
      const word = words.getInt32(at, true);
      if (fourDigits(word)) {
        low = valueOfFour(word);
        lowDigits = 4;
        at += 4;
        const next = words.getInt32(at, true);
        if (fourDigits(next)) {
          low = (Math.imul(low, 10_000) + valueOfFour(next)) | 0;
          lowDigits = 8;
          at += 4;
        }
      }
      digit = (bytes[at] as number) - 48;
      while (lowDigits < 9 && digit >= 0 && digit <= 9) {
        low = (Math.imul(low, 10) + digit) | 0;
        lowDigits++;
        digit = (bytes[++at] as number) - 48;
      }
      places += lowDigits;
    }
    // More digits, or an exponent.
    if ((digit >= 0 && digit <= 9) || digit === 53 || digit === 21) plain = false;
    let value = Number.NaN;
    if (plain && places <= 22) {
      const exact = (lowDigits === 0 ? high : high * (POW[lowDigits] as number) + low) / (POW[places] as number);
      const above = Math.fround(exact * UP);
      if (above === Math.fround(exact * DOWN)) value = above;
    }
    if (value !== value) {
      while (at < end && bytes[at] !== 44 && (bytes[at] as number) > 32) at++;
      const text = bytes.toString('latin1', from, at);
      if (!NUMBER.test(text)) return undefined;
      out[n] = Number(text);
    } else out[n] = negative ? -value : value;
    byte = bytes[at] as number;
    while (byte === 32 || byte === 10 || byte === 13 || byte === 9) byte = bytes[++at] as number;
    if (n + 1 === count) return at === end ? out : undefined;
    if (byte !== 44) return undefined;
    at++;
  }
  return undefined;
}
