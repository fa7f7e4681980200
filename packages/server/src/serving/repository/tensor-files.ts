import { readFile, stat } from 'node:fs/promises';
import { allocate, type Datatype, type Tensor, TENSOR_ARRAYS } from '../tensor.ts';
import { badConfig } from './model-config.ts';

/** A warm-up or initial state of more values than this is none. */
const MAX_VALUES = 2 ** 28;

export interface TensorFacts {
  name: string;
  datatype: Datatype;
  /** Without -1. */
  shape: number[];
}

/** Throws `invalid` for more than any tensor may have. */
export function countOf({ name, shape }: TensorFacts): number {
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(count) || count < 0 || count > MAX_VALUES) throw badConfig(`the shape [${shape}] of '${name}' is too large`);
  return count;
}

export const zeroTensor = (facts: TensorFacts): Tensor => ({ ...facts, data: allocate(facts.datatype, countOf(facts)) });

/** Values that a model may meet: floats in [0,1), whole numbers below 128, short words. */
export function randomTensor(facts: TensorFacts): Tensor {
  const tensor = zeroTensor(facts);
  const { data } = tensor;
  const whole = (below: number): number => Math.floor(Math.random() * below);
  for (let i = 0; i < data.length; i++) {
    if (Array.isArray(data)) data[i] = whole(1e6).toString(36);
    else if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(whole(128));
    else if (facts.datatype === 'FP32' || facts.datatype === 'FP64') data[i] = Math.random();
    // Bits of a half between 0 and 2.
    else data[i] = whole(facts.datatype === 'BOOL' ? 2 : facts.datatype === 'FP16' ? 0x4000 : 128);
  }
  return tensor;
}

/** A file of raw little-endian values; strings each after their length (uint32, little-endian). Throws `invalid` for one of another size than the shape says. */
export async function tensorFromFile(facts: TensorFacts, file: string): Promise<Tensor> {
  const count = countOf(facts);
  const size = (
    await stat(file).catch((cause: unknown) => {
      throw badConfig(`the data of '${facts.name}' cannot be read: there is no file ${file}`, cause);
    })
  ).size;
  if (size > MAX_VALUES * 8) throw badConfig(`the file ${file} is too large`);
  const bytes = await readFile(file);
  if (facts.datatype === 'BYTES') return { ...facts, data: stringsOf(bytes, count, file) };
  const Values = TENSOR_ARRAYS[facts.datatype];
  if (bytes.length !== count * Values.BYTES_PER_ELEMENT)
    throw badConfig(`the file ${file} has ${bytes.length} bytes, but '${facts.name}' of the shape [${facts.shape}] needs ${count * Values.BYTES_PER_ELEMENT}`);
  const own = new Uint8Array(bytes);
  return { ...facts, data: new Values(own.buffer, 0, count) };
}

function stringsOf(bytes: Buffer, count: number, file: string): string[] {
  const out: string[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    if (at + 4 + length > bytes.length) break;
    out.push(bytes.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  if (at !== bytes.length || out.length !== count) throw badConfig(`the file ${file} does not hold ${count} strings, each after its length`);
  return out;
}
