import { type Datatype, TENSOR_ARRAYS } from '../../serving/index.ts';

export const isDatatype = (name: unknown): name is Datatype => typeof name === 'string' && (name === 'BYTES' || Object.hasOwn(TENSOR_ARRAYS, name));

/** Elements of a shape; NaN when a dimension is no natural number or the product is beyond what an array can hold. */
export function countOf(shape: readonly unknown[]): number {
  let count = 1;
  for (const dimension of shape) {
    if (typeof dimension !== 'number' || !Number.isInteger(dimension) || dimension < 0) return Number.NaN;
    count *= dimension;
  }
  return count <= 2 ** 31 ? count : Number.NaN;
}
