import { allocate, type Datatype, floatToHalf, halfToFloat, isText, type Tensor, type TensorData } from '../serving/index.ts';

/** Elements of a shape. */
export const countOf = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

/** How bytes and floats that JSON lacks are written. */
export interface JsonStyle {
  /** Bare NaN and Infinity, as TensorFlow Serving and Python's json read them; else they throw. */
  bareNaN: boolean;
  string?: (value: string) => string;
}

/** A tensor's values as JSON text, nested by `shape` (flat without one). Throws an Error for what has no form in it. */
export function valuesToJson(tensor: Tensor, style: JsonStyle, shape?: readonly number[]): string {
  const words = wordsOf(tensor, style);
  if (shape === undefined || shape.length === 1) return `[${words.join(',')}]`;
  if (shape.length === 0) return words[0] ?? '[]';
  let at = 0;
  const nest = (depth: number): string => {
    const size = shape[depth] ?? 0;
    if (depth === shape.length - 1) return `[${words.slice(at, (at += size)).join(',')}]`;
    const parts: string[] = [];
    for (let i = 0; i < size; i++) parts.push(nest(depth + 1));
    return `[${parts.join(',')}]`;
  };
  return nest(0);
}

function textJson(name: string, value: string): string {
  if (!isText(value)) throw new Error(`input '${name}' holds bytes that are not UTF-8, which have no JSON form`);
  return JSON.stringify(value);
}

/** Each value's own text. */
export function wordsOf({ name, datatype, data }: Tensor, style: JsonStyle): string[] {
  if (Array.isArray(data)) return data.map(style.string ?? ((value) => textJson(name, value)));
  if (datatype === 'BOOL') return Array.from(data as Uint8Array, (value) => (value === 0 ? 'false' : 'true'));
  const numbers = datatype === 'FP16' ? halfToFloat(data as Uint16Array) : data;
  const isFloat = datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64';
  return Array.from(numbers as Float64Array, (value) => {
    if (isFloat && !Number.isFinite(value) && !style.bareNaN)
      throw new Error(`input '${name}' holds ${value}, which the JSON that this server reads has no form for`);
    return String(value);
  });
}

const LONG_INTEGER = /[0-9]{16}/;
const QUOTE_OR_BARE = /"|-?\bInfinity\b|\bNaN\b/g;

/** JSON as Python writes it: bare NaN and Infinity become texts that `valuesFromJson` knows; with `exact`, integers beyond 2^53 are BigInt. */
export function parseReply(text: string, exact: boolean): unknown {
  const revive = exact && LONG_INTEGER.test(text) ? (exactReviver as (key: string, value: unknown) => unknown) : undefined;
  try {
    return JSON.parse(text, revive);
  } catch (error) {
    const mended = quoteBare(text);
    if (mended === undefined) throw error;
    return JSON.parse(mended, revive);
  }
}

/** Undefined when there is nothing to mend. One pass, whatever the text is: it comes from elsewhere, and one expression for whole strings could be made to begin again at every quote. */
function quoteBare(text: string): string | undefined {
  let mended = '';
  let copied = 0;
  QUOTE_OR_BARE.lastIndex = 0;
  for (let found = QUOTE_OR_BARE.exec(text); found !== null; found = QUOTE_OR_BARE.exec(text)) {
    const [word] = found;
    if (word === '"') {
      const end = endOfString(text, found.index + 1);
      if (end < 0) break;
      QUOTE_OR_BARE.lastIndex = end;
      continue;
    }
    mended += `${text.slice(copied, found.index)}"${word}"`;
    copied = found.index + word.length;
  }
  return copied === 0 ? undefined : mended + text.slice(copied);
}

/** Behind the quote that ends a string; -1 when none does. */
function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (quote - slashes > from && text[quote - slashes - 1] === '\\') slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  return -1;
}

function exactReviver(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return context.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

/** The shape of nested lists; those of one level are as long as the first. */
export function shapeOf(values: unknown): number[] {
  const shape: number[] = [];
  for (let at = values; Array.isArray(at); at = at[0]) shape.push(at.length);
  return shape;
}

/**
 * Nested or flat lists as a tensor. Throws an Error that says what does not fit: ragged lists, values of another type.
 * `string` decodes what stands for bytes.
 */
export function valuesFromJson(name: string, datatype: Datatype, shape: number[], values: unknown, string?: (value: unknown) => string): Tensor {
  const count = countOf(shape);
  const flat = Array.isArray(values) ? (values.some(Array.isArray) ? values.flat(Number.POSITIVE_INFINITY) : values) : [values];
  if (flat.length !== count) throw new Error(`output '${name}' has ${flat.length} values for the shape [${shape}]`);
  const data = allocate(datatype, count);
  for (let i = 0; i < count; i++) (data as unknown[])[i] = convert(name, datatype, flat[i], string);
  return { name, datatype, shape, data };
}

function convert(name: string, datatype: Datatype, value: unknown, string?: (value: unknown) => string): TensorData[number] {
  const bad = (): Error =>
    new Error(`output '${name}' holds ${JSON.stringify(typeof value === 'bigint' ? String(value) : value)?.slice(0, 60)} for ${datatype}`);
  if (datatype === 'BYTES') {
    if (string !== undefined) return string(value);
    if (typeof value !== 'string') throw bad();
    return value;
  }
  if (datatype === 'BOOL') {
    if (value !== true && value !== false && value !== 0 && value !== 1) throw bad();
    return Number(value);
  }
  if (datatype === 'FP32' || datatype === 'FP64' || datatype === 'FP16') {
    const number = value === null ? Number.NaN : typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' && typeof number !== 'bigint') throw bad();
    return datatype === 'FP16' ? floatToHalf(Number(number)) : Number(number);
  }
  const whole = typeof value === 'boolean' ? Number(value) : value;
  if (typeof whole !== 'bigint' && !Number.isInteger(whole)) throw bad();
  return datatype === 'INT64' || datatype === 'UINT64' ? BigInt(whole as number) : Number(whole);
}
