/** What is smaller is left to the garbage collector, for which it is quick work. */
const WORTH = 16 * 1024;

/**
 * Frees the memory of a view that has its buffer to itself, at once; the view is empty afterwards. V8 counts the memory of buffers as it counts its
 * objects, and marks its whole heap anew for every few dozen megabytes of them: a server of large tensors would do that several times a
 * second. Views of a part of a buffer and small ones stay as they are.
 */
export function releaseBuffer(view: ArrayBufferView): void {
  const { buffer, byteLength } = view;
  if (byteLength < WORTH || !(buffer instanceof ArrayBuffer) || buffer.byteLength !== byteLength || buffer.detached) return;
  buffer.transfer(0);
}
