/** Large bodies' memory, used again: fresh external memory for each would keep the garbage collector busy (measured: a third of the throughput at 600 KB). */
const SMALLEST = 64 * 1024;
const IDLE_MS = 30_000;
/** Memory kept for reuse; what comes back beyond it is left to the garbage collector. */
const MAX_KEPT = 128 * 1024 * 1024;

const free = new Map<number, Buffer[]>();
let kept = 0;
let timer: NodeJS.Timeout | undefined;

const classOf = (size: number): number => Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(size)));

/** At least `size` bytes of an ArrayBuffer of its own. The content is undefined. */
export function takeSlab(size: number): Buffer {
  const bytes = classOf(size);
  const slab = free.get(bytes)?.pop();
  if (slab === undefined) return Buffer.allocUnsafeSlow(bytes);
  kept -= bytes;
  return slab;
}

/** Gives a slab back; nobody may look at it afterwards. */
export function giveSlab(slab: Buffer): void {
  if (kept + slab.length > MAX_KEPT) return;
  const list = free.get(slab.length);
  if (list === undefined) free.set(slab.length, [slab]);
  else list.push(slab);
  kept += slab.length;
  timer ??= setTimeout(() => {
    free.clear();
    kept = 0;
    timer = undefined;
  }, IDLE_MS).unref();
}
