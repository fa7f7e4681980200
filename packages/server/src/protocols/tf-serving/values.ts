import { allocate, type Datatype, floatToHalf, type TensorData, textOfBytes } from '../../serving/index.ts';
import { tfType } from './datatypes.ts';
import { bad, bytesOf, debug, isBase64, isNaNToken, typeOf } from './json.ts';

/** TensorFlow's own bound is 254; far beyond any model's. */
const MAX_RANK = 64;

const RANGES: Partial<Record<Datatype, readonly [number, number]>> = {
  UINT8: [0, 255],
  UINT16: [0, 65535],
  UINT32: [0, 4294967295],
  INT8: [-128, 127],
  INT16: [-32768, 32767],
  INT32: [-2147483648, 2147483647],
};

const typeError = (value: unknown, datatype: Datatype): Error =>
  bad(`JSON Value: ${debug(value)} Type: ${typeOf(value)} is not of expected type: ${tfType(datatype).text}`);

/** The shape of nested lists by their first elements, as TensorFlow Serving takes it. */
export function shapeOf(value: unknown): number[] {
  const shape: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > MAX_RANK) throw bad(`a tensor may have ${MAX_RANK} dimensions at most`);
  }
  return shape;
}

/** Throws `invalid` unless the lists are as long everywhere as the shape says. Before room is made: a few long first lists may claim gigabytes. */
export function checkLists(value: unknown, shape: readonly number[], level = 0): void {
  if (level === shape.length) return;
  if (!Array.isArray(value))
    throw bad(`JSON Value: ${debug(value)} found at incorrect level: ${level + 1} in the JSON DOM. Expected at level: ${shape.length}`);
  if (value.length !== shape[level]) throw bad(`Encountered list at unexpected size: ${value.length} at level: ${level} expected size: ${shape[level]}`);
  if (level < shape.length - 1) for (const item of value) checkLists(item, shape, level + 1);
}

/** Values of one datatype, written one after the other from nested lists. */
export class ValueWriter {
  readonly data: TensorData;
  readonly #datatype: Datatype;
  #at = 0;

  constructor(datatype: Datatype, count: number) {
    this.#datatype = datatype;
    this.data = allocate(datatype, count);
  }

  /** `value` has the shape's depth and sizes (see `checkLists`). Throws `invalid` naming the value that is of another type. */
  write(value: unknown, rank: number, level = 0): void {
    if (level === rank) this.#list([value], rank);
    else if (level === rank - 1) this.#list(value as unknown[], rank);
    else for (const item of value as unknown[]) this.write(item, rank, level + 1);
  }

  #list(list: readonly unknown[], rank: number): void {
    const write = WRITERS[this.#datatype];
    for (const value of list) {
      if (Array.isArray(value)) throw bad(`Encountered list at unexpected level: ${rank} expected < ${rank}`);
      write(this.data as never, this.#at++, value, this.#datatype);
    }
  }
}

type Write = (target: never, at: number, value: unknown, datatype: Datatype) => void;

function numberOf(value: unknown, datatype: Datatype): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (isNaNToken(value)) return Number.NaN;
  throw typeError(value, datatype);
}

const writeFloat = (target: Float64Array, at: number, value: unknown, datatype: Datatype): void => {
  target[at] = typeof value === 'number' ? value : numberOf(value, datatype);
};

const writeHalf = (target: Uint16Array, at: number, value: unknown, datatype: Datatype): void => {
  target[at] = floatToHalf(numberOf(value, datatype));
};

const writeInteger = (target: Int32Array, at: number, value: unknown, datatype: Datatype): void => {
  const [low, high] = RANGES[datatype] as readonly [number, number];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) throw typeError(value, datatype);
  target[at] = value;
};

const writeBig = (target: BigInt64Array, at: number, value: unknown, datatype: Datatype): void => {
  if (typeof value !== 'bigint' && (typeof value !== 'number' || !Number.isInteger(value))) throw typeError(value, datatype);
  const big = BigInt(value);
  if (big !== (datatype === 'INT64' ? BigInt.asIntN(64, big) : BigInt.asUintN(64, big))) throw typeError(value, datatype);
  target[at] = big;
};

const writeBool = (target: Uint8Array, at: number, value: unknown, datatype: Datatype): void => {
  if (typeof value !== 'boolean') throw typeError(value, datatype);
  target[at] = value ? 1 : 0;
};

const writeString = (target: string[], at: number, value: unknown, datatype: Datatype): void => {
  if (typeof value === 'string' && !isNaNToken(value)) target[at] = value;
  else if (isBase64(value)) target[at] = textOfBytes(bytesOf(value));
  else if (typeOf(value) === 'Object') throw bad(`JSON Value: ${debug(value)} not formatted correctly for base64 data`);
  else throw typeError(value, datatype);
};

const WRITERS = {
  BOOL: writeBool,
  BYTES: writeString,
  FP16: writeHalf,
  FP32: writeFloat,
  FP64: writeFloat,
  INT8: writeInteger,
  INT16: writeInteger,
  INT32: writeInteger,
  INT64: writeBig,
  UINT8: writeInteger,
  UINT16: writeInteger,
  UINT32: writeInteger,
  UINT64: writeBig,
} as unknown as Record<Datatype, Write>;
