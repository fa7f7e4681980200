import { type FloatText, floatText } from './memory.ts';

/** The longest texts with the comma behind them: -9007198717870080.0 and -0.0000012345678901234567. */
const MOST_CHARACTERS = 20;
const MOST_CHARACTERS_DOUBLE = 28;
const OPEN = 91;
const CLOSE = 93;

/** Shorter lists are one string. */
const LARGE = 1024;

type Values = Float32Array | Float64Array;

/** Writes values from `from` on, as many as a piece holds, each with a comma behind it; `length` bytes stand at the kernel's `text` then. */
function writePiece(kernel: FloatText, values: Values, from: number, to: number, decimals: boolean): { length: number; end: number } {
  if (values instanceof Float32Array) {
    const end = Math.min(to, from + Math.floor(kernel.textSize / MOST_CHARACTERS));
    kernel.floats.set(values.subarray(from, end));
    return { length: kernel.write(end - from, decimals), end };
  }
  const end = Math.min(to, from + Math.floor(kernel.textSize / MOST_CHARACTERS_DOUBLE));
  kernel.doubles.set(values.subarray(from, end));
  return { length: kernel.writeDoubles(end - from, decimals), end };
}

/**
 * A flat JSON list of values, each with the fewest digits that read back as the same float or double; whole floats below 2^53 are written out. JSON has
 * no NaN and no infinities: they become null. ASCII bytes in pieces, each in memory of its own, which their sender may free; a short list as a string.
 */
export function floatsToText(values: Values): string | Buffer[] {
  if (values.length <= LARGE) return floatList(values, 0, values.length);
  const kernel = floatText();
  const { bytes, text } = kernel;
  const pieces: Buffer[] = [];
  for (let from = 0; from < values.length; ) {
    const { length, end } = writePiece(kernel, values, from, values.length, false);
    const first = from === 0 ? 1 : 0;
    const piece = Buffer.allocUnsafeSlow(length + first);
    bytes.copy(piece, first, text, text + length);
    if (first === 1) piece[0] = OPEN;
    if (end === values.length) piece[piece.length - 1] = CLOSE;
    pieces.push(piece);
    from = end;
  }
  return pieces;
}

/** Some of the values as one string. With `decimals` whole numbers have a `.0`, zero its sign, and NaN and infinities are words, as TensorFlow Serving writes them. */
export function floatList(values: Values, from: number, to: number, decimals = false): string {
  if (from === to) return '[]';
  const kernel = floatText();
  let list = '[';
  for (let at = from; at < to; ) {
    const { length, end } = writePiece(kernel, values, at, to, decimals);
    list += kernel.bytes.toString('latin1', kernel.text, kernel.text + length - (end === to ? 1 : 0));
    at = end;
  }
  return `${list}]`;
}
