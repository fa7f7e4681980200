import type { OutputColumn } from './batch-input.port.ts';

/** The values at some positions, in an array of the same kind. */
export function pick<T extends OutputColumn['values']>(values: T, keep: readonly number[]): T {
  if (Array.isArray(values)) return keep.map((at) => values[at] as string) as T;
  const out = new (values.constructor as new (length: number) => Float64Array)(keep.length);
  for (let i = 0; i < keep.length; i++) out[i] = values[keep[i] as number] as number;
  return out as unknown as T;
}
