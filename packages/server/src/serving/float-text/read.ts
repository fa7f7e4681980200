import { floatText } from './memory.ts';

/**
 * A JSON list of `count` numbers as float32 values, straight from its text: flat, or nested in lists of equal lengths at most `depth` deep. `start` is its
 * first bracket, `end` its last. What is read is what `Math.fround(JSON.parse(…))` is, to the bit. Undefined for anything else: then the caller
 * reads it the slow way and says what is wrong.
 */
export function floatsFromList(bytes: Buffer, start: number, end: number, count: number, depth = 1): Float32Array | undefined {
  // Each value takes a digit and a comma, so that a claim of gigabytes makes no room.
  if (count * 2 - 1 > end - start) return undefined;
  const kernel = floatText();
  const values = new Float32Array(count);
  let read = 0;
  kernel.begin();
  for (let from = start; from <= end; ) {
    const size = Math.min(kernel.textSize, end + 1 - from);
    bytes.copy(kernel.bytes, kernel.text, from, from + size);
    const more = kernel.read(kernel.text + size);
    if (more < 0 || read + more > count || kernel.depth() > depth) return undefined;
    values.set(kernel.floats.subarray(0, more), read);
    read += more;
    const next = from + kernel.position() - kernel.text;
    if (kernel.isClosed() !== 0) return read === count && next === end + 1 ? values : undefined;
    // Cut off, or a number longer than a piece.
    if (next === from || from + size > end) return undefined;
    from = next;
  }
  return undefined;
}
