import { invalid } from '../../kernel/index.ts';
import type { Tensor } from '../tensor.ts';

/**
 * A tensor as `to` wants it, of which it has the shape `from` (both without the batch dimension when `batched`): free dimensions of `to` are those of `from`,
 * in their order. The data stay the same.
 */
export function reshaped(tensor: Tensor, from: readonly number[], to: readonly number[], batched: boolean): Tensor {
  const skip = batched ? 1 : 0;
  const free = from.flatMap((dim, i) => (dim === -1 ? [tensor.shape[i + skip] as number] : []));
  let next = 0;
  const shape = [...tensor.shape.slice(0, skip), ...to.map((dim) => (dim === -1 ? (free[next++] ?? 1) : dim))];
  if (shape.reduce((product, dim) => product * dim, 1) !== tensor.data.length)
    throw invalid('wrong_shape', `'${tensor.name}' of the shape [${tensor.shape}] cannot be reshaped to [${shape}]`);
  return { ...tensor, shape };
}
