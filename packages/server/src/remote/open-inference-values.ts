import { type Datatype, TENSOR_ARRAYS } from '../serving/index.ts';

/** Throws an Error for a datatype that tensors here cannot have, such as BF16. */
export function checkDatatype(name: string, datatype: unknown): Datatype {
  if (datatype === 'BYTES' || (typeof datatype === 'string' && Object.hasOwn(TENSOR_ARRAYS, datatype))) return datatype as Datatype;
  throw new Error(`output '${name}' has the datatype ${String(datatype)}, which is not supported here`);
}

/** Throws an Error for what is no shape. */
export function checkShape(name: string, shape: unknown): number[] {
  const sizes = Array.isArray(shape) ? shape.map(Number) : [];
  let count = 1;
  for (const size of sizes) count *= Number.isSafeInteger(size) && size >= 0 ? size : Number.NaN;
  if (!Array.isArray(shape) || !(count <= 2 ** 31)) throw new Error(`output '${name}' has no usable shape`);
  return sizes;
}

/** The outputs in the order asked for (all that came, for none). Throws an Error when one is missing. */
export function inOrder<T extends { name: string }>(outputs: T[], asked: readonly string[]): T[] {
  if (asked.length === 0 || (asked.length === outputs.length && asked.every((name, i) => outputs[i]?.name === name))) return outputs;
  return asked.map((name) => {
    const found = outputs.find((output) => output.name === name);
    if (found === undefined) throw new Error(`output '${name}' is not in the answer`);
    return found;
  });
}
