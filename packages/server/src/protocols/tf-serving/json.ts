import { randomUUID } from 'node:crypto';
import { type BinnacleError, invalid, isObject, parseLooseJson, shown } from '../../kernel/index.ts';

export type Json = Record<string, unknown>;
export const bad = (text: string): BinnacleError => invalid('invalid_request', text);

/** Stands for a bare NaN in parsed JSON: no client can know it, so none can send it as a string. */
const NAN = `NaN ${randomUUID()}`;
export const isNaNToken = (value: unknown): boolean => value === NAN;
const SPECIALS = { nan: `"${NAN}"`, infinity: '1e999', minusInfinity: '-1e999' };

/**
 * A request's JSON object. Bare NaN and Infinity are legal, as in TensorFlow Serving (see `isNaNToken`), and integers beyond 2^53 become
 * BigInt. Throws `invalid` with TensorFlow Serving's texts.
 */
export function parseRequest(text: string): Json {
  if (text.trim() === '') throw bad('JSON Parse error: The document is empty');
  const value = parse(text);
  if (!isObject(value)) throw bad(`JSON Value: ${debug(value)} Is not object`);
  return value;
}

function parse(text: string): unknown {
  try {
    return parseLooseJson(text, SPECIALS);
  } catch (cause) {
    throw bad(`JSON Parse error: Invalid value. (${(cause as Error).message})`);
  }
}

/** A value in an error text. */
export const debug = (value: unknown): string => shown(value, 256).replaceAll(`"${NAN}"`, 'NaN');

/** RapidJSON's names of types. */
export function typeOf(value: unknown): string {
  if (value === null) return 'Null';
  if (isNaNToken(value)) return 'Number';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return 'String';
  if (Array.isArray(value)) return 'Array';
  return typeof value === 'object' ? 'Object' : 'Number';
}

/** `{"b64": …}`, and nothing else in it. */
export function isBase64(value: unknown): value is { b64: string } {
  if (!isObject(value) || typeof value['b64'] !== 'string') return false;
  for (const key in value) if (key !== 'b64') return false;
  return true;
}

/** Throws `invalid` for what is no base64 (standard alphabet, padding optional). */
export function bytesOf({ b64 }: { b64: string }): Buffer {
  // Step by step: one pattern for all would look at a row of spaces as often as it is long.
  const text = b64.trimEnd();
  let end = text.length;
  while (end > text.length - 2 && text[end - 1] === '=') end--;
  if (/[^A-Za-z0-9+/\s]/.test(text.slice(0, end))) throw bad('Unable to base64 decode');
  return Buffer.from(b64, 'base64');
}

/** The request's `signature_name`; empty when it has none. */
export function signatureNameOf(request: Json): string {
  const name = request['signature_name'];
  if (name === undefined) return '';
  if (typeof name !== 'string') throw bad(`JSON Value: ${debug(request)} not formatted correctly. 'signature_name' key must be a string value.`);
  return name;
}
