import { releaseBuffer } from '../kernel/index.ts';
import type { Tensor } from './tensor.ts';

/** Less is not worth the trouble, request by request. */
const WORTH = 64 * 1024;

export const worthReleasing = (outputs: readonly Tensor[]): boolean => outputs.some(({ data }) => !Array.isArray(data) && data.byteLength >= WORTH);

/** Outputs of a merged run: those of each request are views of one buffer, which goes when the last of them does. */
const shared = new WeakMap<ArrayBufferLike, Set<object>>();

/** Told of the parts that a merged run's outputs were cut into. */
export function shareOutputs(outputs: readonly Tensor[], parts: readonly (readonly Tensor[])[]): void {
  for (const [i, { data }] of outputs.entries()) {
    if (Array.isArray(data) || data.byteLength < WORTH || data.byteLength !== data.buffer.byteLength) continue;
    shared.set(data.buffer, new Set(parts.map((part) => part[i]?.data as object)));
  }
}

/**
 * Frees the memory of large outputs, for a front-end that has sent its reply (handed it to the operating system, not only to the stream) and has
 * called `finish`. Monitoring may still look at an output of one value a row: such a one is left to the garbage collector.
 */
export function releaseOutputs(outputs: readonly Tensor[]): void {
  for (const { data, shape } of outputs) {
    if (Array.isArray(data) || data.length === shape[0]) continue;
    const views = shared.get(data.buffer);
    if (views === undefined) releaseBuffer(data);
    else if (views.delete(data) && views.size === 0) releaseBuffer(new Uint8Array(data.buffer));
  }
}

/** Frees the inputs of a merged run, which were copied for it; outputs that live in them keep them. */
export function releaseMerged(inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
  for (const { data } of inputs) {
    if (Array.isArray(data) || data.byteLength < WORTH) continue;
    if (!outputs.some((output) => !Array.isArray(output.data) && output.data.buffer === data.buffer)) releaseBuffer(data);
  }
}
