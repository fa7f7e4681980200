import { releaseBuffer } from '../kernel/index.ts';
import type { Tensor } from './tensor.ts';

/** Less is not worth the trouble, request by request. */
const WORTH = 64 * 1024;

export const worthReleasing = (outputs: readonly Tensor[]): boolean => outputs.some(({ data }) => !Array.isArray(data) && data.byteLength >= WORTH);

/**
 * Frees the memory of large outputs, for a front-end that has sent its reply (handed it to the operating system, not only to the stream) and has
 * called `finish`. Monitoring may still look at an output of one value a row: such a one is left to the garbage collector.
 */
export function releaseOutputs(outputs: readonly Tensor[]): void {
  for (const { data, shape } of outputs) if (!Array.isArray(data) && data.length !== shape[0]) releaseBuffer(data);
}
