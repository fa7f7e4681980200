import { type BinnacleError, invalid, shown } from '../../kernel/index.ts';
import { allocate, type Datatype, floatsToText, type Tensor, type TensorData } from '../../serving/index.ts';

const bad = (text: string): BinnacleError => invalid('invalid_tensor', text);

const RANGES: Partial<Record<Datatype, readonly [number, number]>> = {
  UINT8: [0, 255],
  UINT16: [0, 65535],
  UINT32: [0, 4294967295],
  INT8: [-128, 127],
  INT16: [-32768, 32767],
  INT32: [-2147483648, 2147483647],
};

/** Triton's word for halves, which JSON numbers would change in silence. */
export const noJson = (name: string, datatype: string): BinnacleError =>
  bad(`receiving ${datatype} data via JSON is not supported. Please use the binary data format for input ${name}`);

/** Triton's word for a value of the wrong kind, and where it is. */
const odd = (name: string, at: number, what: string, why: string): BinnacleError =>
  bad(`Unable to parse 'data': attempt to access JSON non-${what} as ${what === 'number' ? 'double' : what} (input '${name}', value ${at}: ${why})`);

/** `data` of a JSON tensor, flat or nested, as `count` values of a datatype. Throws `invalid` naming the input and the value. */
export function dataFromJson(name: string, datatype: Datatype, shape: readonly number[], count: number, data: unknown): TensorData {
  if (datatype === 'FP16') throw noJson(name, datatype);
  if (!Array.isArray(data)) throw bad(`Unable to parse 'data': attempt to access JSON non-array as array (input '${name}')`);
  // Counted before room is made: a shape of a few bytes may claim gigabytes.
  const given = leaves(name, data, shape, 1);
  if (given !== count) {
    const text = `Unable to parse 'data': Shape does not match true shape of 'data' field (input '${name}': the shape [${shape}] needs ${count} values, got ${given})`;
    throw bad(text);
  }
  const target: TensorData = allocate(datatype, count);
  const writer = writers[datatype];
  let at = 0;
  const write = (values: readonly unknown[]): void => {
    if (Array.isArray(values[0])) for (const value of values) write(value as unknown[]);
    else {
      writer(target as never, at, values, name, datatype);
      at += values.length;
    }
  };
  write(data);
  return target;
}

/** Values in a list that is flat or nested as deep as its shape at most; values and lists may not be mixed. */
function leaves(name: string, list: readonly unknown[], shape: readonly number[], depth: number): number {
  if (!Array.isArray(list[0])) return list.length;
  if (depth >= shape.length) throw bad(`Unable to parse 'data': input '${name}' is nested deeper than its shape [${shape}]`);
  let count = 0;
  for (const value of list) {
    if (!Array.isArray(value)) throw bad(`Unable to parse 'data': input '${name}' mixes values and lists`);
    count += leaves(name, value, shape, depth + 1);
  }
  return count;
}

const kindOf = (datatype: Datatype): string => (datatype.startsWith('U') ? 'unsigned-integer' : 'signed-integer');

type Writer = (target: never, at: number, values: readonly unknown[], name: string, datatype: Datatype) => void;

function writeFloats(target: Float32Array | Float64Array, at: number, values: readonly unknown[], name: string, datatype: Datatype): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === 'number') target[at + i] = value;
    else if (typeof value === 'bigint') target[at + i] = Number(value);
    else
      throw odd(
        name,
        at + i,
        'number',
        `expected a number for ${datatype}, got ${shown(value)}${value === null ? '; a missing value has no JSON form here: send NaN in a binary tensor, or use /invocations' : ''}`,
      );
  }
}

function writeIntegers(target: Int32Array, at: number, values: readonly unknown[], name: string, datatype: Datatype): void {
  const [low, high] = RANGES[datatype] as readonly [number, number];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw odd(name, at + i, kindOf(datatype), `expected a whole number for ${datatype}, got ${shown(value)}`);
    if (value < low || value > high) throw odd(name, at + i, kindOf(datatype), `${value} does not fit ${datatype}`);
    target[at + i] = value;
  }
}

function writeBig(target: BigInt64Array, at: number, values: readonly unknown[], name: string, datatype: Datatype): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    let big: bigint;
    if (typeof value === 'bigint') big = value;
    else if (typeof value === 'number' && Number.isInteger(value)) big = BigInt(value);
    else throw odd(name, at + i, kindOf(datatype), `expected a whole number for ${datatype}, got ${shown(value)}`);
    if (datatype === 'INT64' ? big !== BigInt.asIntN(64, big) : big !== BigInt.asUintN(64, big))
      throw odd(name, at + i, kindOf(datatype), `${big} does not fit ${datatype}`);
    target[at + i] = big;
  }
}

function writeBooleans(target: Uint8Array, at: number, values: readonly unknown[], name: string): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === true || value === 1) target[at + i] = 1;
    else if (value === false || value === 0) target[at + i] = 0;
    else throw odd(name, at + i, 'boolean', `expected true or false for BOOL, got ${shown(value)}`);
  }
}

function writeStrings(target: string[], at: number, values: readonly unknown[], name: string): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'string')
      throw bad(
        `Unable to parse JSON bytes array: attempt to access JSON non-string as string (input '${name}', value ${at + i}: expected a string for BYTES, got ${shown(value)})`,
      );
    // It would be taken for a byte (see bytes-text.ts).
    if (!value.isWellFormed())
      throw bad(`input '${name}', value ${at + i}: the string holds half of a surrogate pair, which is no text; send bytes as a binary tensor`);
    target[at + i] = value;
  }
}

const writers: Record<Datatype, Writer> = {
  BOOL: writeBooleans,
  BYTES: writeStrings,
  FP16: writeIntegers,
  FP32: writeFloats,
  FP64: writeFloats,
  INT8: writeIntegers,
  INT16: writeIntegers,
  INT32: writeIntegers,
  INT64: writeBig as Writer,
  UINT8: writeIntegers,
  UINT16: writeIntegers,
  UINT32: writeIntegers,
  UINT64: writeBig as Writer,
};

/** True when a number in the text may have more digits than a double keeps. */
const LONG_INTEGER = /[0-9]{16}/;

/**
 * JSON, with integers beyond 2^53 as BigInt: 64-bit tensors and ids of sequences must arrive exactly. Only a text with a long row of digits pays for it,
 * and a fraction's digits stay a number. `anyType`: the text does not name datatypes, so that any integer may be of 64 bits.
 */
export function parseExact(text: string, anyType = false): unknown {
  try {
    // In this order: a long text of floats is full of long rows of digits.
    if ((!anyType && !text.includes('INT64"') && !text.includes('"sequence_id"')) || !LONG_INTEGER.test(text)) return JSON.parse(text);
    return JSON.parse(text, exactReviver as (key: string, value: unknown) => unknown);
  } catch (cause) {
    // Bare NaN is legal for Python's json module and for TensorFlow Serving, so people send it.
    const special = /[:,[]\s*(-?(?:NaN|Infinity))/.exec(text);
    const hint = special === null ? '' : `; ${special[1]} has no JSON form: send the tensor as binary data, which keeps NaN and infinities`;
    throw invalid('invalid_json', `failed to parse the request JSON buffer: ${(cause as Error).message}${hint}`, { cause });
  }
}

function exactReviver(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return context.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

/** An output's values as JSON text, ASCII bytes in pieces of memory of their own where that is quicker. NaN and infinities have none and become null. */
export function dataToJson(tensor: Tensor): string | Buffer[] {
  const { datatype, data, name } = tensor;
  if (Array.isArray(data)) {
    for (const value of data)
      if (!value.isWellFormed()) throw bad(`output '${name}' holds bytes that are no UTF-8 and have no JSON form; ask for it as binary data`);
    return JSON.stringify(data);
  }
  if (datatype === 'FP16') throw bad(`sending FP16 data via JSON is not supported. Please use the binary data format for output '${name}'`);
  if (datatype === 'BOOL') return `[${Array.from(data as Uint8Array, (value) => value !== 0).join(',')}]`;
  if (datatype === 'FP32' || datatype === 'FP64') return floatsToText(data as Float32Array | Float64Array);
  return `[${data.join(',')}]`;
}
