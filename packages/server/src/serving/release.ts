import { releaseBuffer } from '../kernel/index.ts';
import type { Tensor } from './tensor.ts';

/** Less is not worth the trouble, request by request. */
const WORTH = 64 * 1024;

const worthReleasing = (tensors: readonly Tensor[]): boolean => tensors.some(({ data }) => !Array.isArray(data) && data.byteLength >= WORTH);

/** How to free the large tensors of a request that is over; undefined when there are none. */
export function releaser(inputs: readonly Tensor[], outputs: readonly Tensor[]): (() => void) | undefined {
  const ofInputs = worthReleasing(inputs);
  if (!ofInputs && !worthReleasing(outputs)) return undefined;
  return () => {
    releaseTensors(outputs);
    if (ofInputs) releaseTensors(inputs);
  };
}

/** Outputs of a merged run: those of each request are views of one buffer, which goes when the last of them does. */
const shared = new WeakMap<ArrayBufferLike, Set<object>>();

/** Told of the parts that a merged run's outputs were cut into. */
export function shareOutputs(outputs: readonly Tensor[], parts: readonly (readonly Tensor[])[]): void {
  for (const [i, { data }] of outputs.entries()) {
    if (Array.isArray(data) || data.byteLength < WORTH || data.byteLength !== data.buffer.byteLength) continue;
    shared.set(data.buffer, new Set(parts.map((part) => part[i]?.data as object)));
  }
}

/** Those in a buffer of their own. Monitoring may still look at one value a row: such a tensor is left to the garbage collector. */
function releaseTensors(tensors: readonly Tensor[]): void {
  for (const { data, shape } of tensors) {
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
