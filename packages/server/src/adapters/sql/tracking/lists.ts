/** Most values in one IN list; SQLite takes 32,766 parameters a statement. */
export const MAX_IN = 1000;

/**
 * A list for IN, padded to a power of two by repeating its last item: lists of many lengths then share few prepared statements.
 * The list must not be empty.
 */
export function padded<T>(items: readonly T[]): T[] {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, items.length)));
  const last = items[items.length - 1] as T;
  return items.length === size ? [...items] : [...items, ...Array.from({ length: size - items.length }, () => last)];
}

export function* batches<T>(items: readonly T[], size = MAX_IN): Iterable<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
