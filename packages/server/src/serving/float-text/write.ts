import { floatText } from './memory.ts';

/** The longest text of a value with the comma behind it, such as -9007198717870080 or -1.23456789e-38. */
const MOST_CHARACTERS = 18;
const OPEN = 91;
const CLOSE = 93;

/** Shorter lists are one string. */
const LARGE = 1024;

/**
 * A flat JSON list of float32 values, each with the fewest digits that read back as the same one; whole numbers below 2^53 are written out. JSON has no NaN and
 * no infinities: they become null. ASCII bytes in pieces, each in memory of its own, which their sender may free; a short list as a string.
 */
export function floatsToText(values: Float32Array): string | Buffer[] {
  const kernel = floatText();
  if (values.length === 0) return '[]';
  const { bytes, text, floats } = kernel;
  if (values.length <= LARGE) {
    floats.set(values);
    const length = kernel.write(values.length);
    return `[${bytes.toString('latin1', text, text + length - 1)}]`;
  }
  const most = Math.floor(kernel.textSize / MOST_CHARACTERS);
  const pieces: Buffer[] = [];
  for (let from = 0; from < values.length; from += most) {
    const part = values.subarray(from, from + most);
    floats.set(part);
    const length = kernel.write(part.length);
    const first = from === 0 ? 1 : 0;
    const piece = Buffer.allocUnsafeSlow(length + first);
    bytes.copy(piece, first, text, text + length);
    if (first === 1) piece[0] = OPEN;
    if (from + most >= values.length) piece[piece.length - 1] = CLOSE;
    pieces.push(piece);
  }
  return pieces;
}
