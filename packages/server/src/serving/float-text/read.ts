import { type FloatText, floatText } from './memory.ts';

/** Reads the list between two brackets piece by piece. Undefined for what is no list of numbers, nested evenly if at all, or once `take` refuses. */
function readPieces(bytes: Buffer, start: number, end: number, take: (values: Float32Array) => boolean): FloatText | undefined {
  const kernel = floatText();
  kernel.begin();
  for (let from = start; from <= end; ) {
    const size = Math.min(kernel.textSize, end + 1 - from);
    bytes.copy(kernel.bytes, kernel.text, from, from + size);
    const count = kernel.read(kernel.text + size);
    if (count < 0 || !take(kernel.floats.subarray(0, count))) return undefined;
    const next = from + kernel.position() - kernel.text;
    if (kernel.isClosed() !== 0) return next === end + 1 ? kernel : undefined;
    // Cut off, or a number longer than a piece.
    if (next === from || from + size > end) return undefined;
    from = next;
  }
  return undefined;
}

/**
 * A JSON list of `count` numbers as float32 values, straight from its text: flat, or nested in lists of equal lengths at most `depth` deep. `start` is its
 * first bracket, `end` its last. What is read is what `Math.fround(JSON.parse(…))` is, to the bit. Undefined for anything else: then the caller
 * reads it the slow way and says what is wrong.
 */
export function floatsFromList(bytes: Buffer, start: number, end: number, count: number, depth = 1): Float32Array | undefined {
  // Each value takes a digit and a comma, so that a claim of gigabytes makes no room.
  if (count * 2 - 1 > end - start) return undefined;
  const values = new Float32Array(count);
  let at = 0;
  const kernel = readPieces(bytes, start, end, (piece) => {
    if (at + piece.length > count) return false;
    values.set(piece, at);
    at += piece.length;
    return true;
  });
  return kernel !== undefined && at === count && kernel.depth() <= depth ? values : undefined;
}

/** The same of a list of any shape. */
export function nestedFloats(bytes: Buffer, start: number, end: number): { shape: number[]; values: Float32Array } | undefined {
  const pieces: Float32Array[] = [];
  let count = 0;
  const kernel = readPieces(bytes, start, end, (piece) => {
    pieces.push(piece.slice());
    count += piece.length;
    return true;
  });
  if (kernel === undefined) return undefined;
  const values = new Float32Array(count);
  let at = 0;
  for (const piece of pieces) {
    values.set(piece, at);
    at += piece.length;
  }
  return { shape: Array.from({ length: kernel.depth() }, (_, level) => kernel.lengthAt(level + 1)), values };
}
