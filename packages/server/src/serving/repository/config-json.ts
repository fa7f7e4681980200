import { isObject, shown } from '../../kernel/index.ts';
import { ENUMS, type FieldType, fieldOf, fieldType, MESSAGES, ONE_OF } from './config-schema.ts';
import { integerOf, isInteger } from './config-text.ts';

/** What is wrong with a configuration in JSON; `message` names the field. */
export class ConfigJsonError extends Error {}

const MAX_DEPTH = 64;
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * A message in protobuf's JSON form (https://protobuf.dev/programming-guides/json/) as a plain object with the schema's field names: fields by their
 * proto or camelCase name, 64-bit integers also as strings, null for absent. Throws ConfigJsonError.
 */
export function configFromJson(json: unknown, message = 'ModelConfig'): Record<string, unknown> {
  return decode(json, message, message, 0);
}

function decode(json: unknown, message: string, path: string, depth: number): Record<string, unknown> {
  if (!isObject(json) || depth > MAX_DEPTH) throw new ConfigJsonError(`${path} must be an object, not ${shown(json)}`);
  const out: Record<string, unknown> = {};
  const alternatives = ONE_OF[message] ?? [];
  for (const [given, value] of Object.entries(json)) {
    const name = fieldOf(message, given) === undefined ? snake(given) : given;
    const type = fieldOf(message, name);
    if (type === undefined) throw new ConfigJsonError(`${path} has no field named '${given.slice(0, 100)}'`);
    if (value === null || value === undefined) continue;
    const other = alternatives.includes(name) ? alternatives.find((each) => each !== name && each in out) : undefined;
    if (other !== undefined) throw new ConfigJsonError(`${path}: '${name}' excludes '${other}', which is given too`);
    out[name] = fieldFrom(value, type, `${path}.${name}`, depth);
  }
  return out;
}

function fieldFrom(value: unknown, type: FieldType, path: string, depth: number): unknown {
  if (type.key !== undefined) {
    if (!isObject(value)) throw new ConfigJsonError(`${path} must be an object, not ${shown(value)}`);
    const map = Object.create(null) as Record<string, unknown>;
    for (const [key, entry] of Object.entries(value)) {
      if (type.key === 'uint64' && !/^\d{1,20}$/.test(key)) throw new ConfigJsonError(`${path} has whole numbers as keys, not '${key.slice(0, 60)}'`);
      map[key] = valueFrom(entry, type.type, `${path}.${key.slice(0, 60)}`, depth);
    }
    return map;
  }
  if (!type.repeated) return valueFrom(value, type.type, path, depth);
  if (!Array.isArray(value)) throw new ConfigJsonError(`${path} must be a list, not ${shown(value)}`);
  return value.map((each: unknown, i) => valueFrom(each, type.type, `${path}[${i}]`, depth));
}

function valueFrom(value: unknown, type: string, path: string, depth: number): unknown {
  if (Object.hasOwn(MESSAGES, type)) return decode(value, type, path, depth + 1);
  const scalar = scalarFrom(value, type);
  if (scalar === undefined) {
    const wanted = Object.hasOwn(ENUMS, type) ? `one of ${(ENUMS[type] ?? []).join(', ')}` : `of the type ${type}`;
    throw new ConfigJsonError(`${path} must be ${wanted}, not ${shown(value)}`);
  }
  return scalar;
}

function scalarFrom(value: unknown, type: string): unknown {
  if (type === 'string') return typeof value === 'string' ? value : undefined;
  if (type === 'bool') return typeof value === 'boolean' ? value : undefined;
  if (isInteger(type)) {
    const whole = typeof value === 'string' ? /^-?\d{1,20}$/.test(value) : Number.isInteger(value);
    return whole ? integerOf(type, BigInt(value as string | number)) : undefined;
  }
  if (type === 'float' || type === 'double') {
    if (typeof value === 'number') return value;
    return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : undefined;
  }
  const names = ENUMS[type] ?? [];
  return typeof value === 'string' ? (names.includes(value) ? value : undefined) : Number.isInteger(value) ? names[value as number] : undefined;
}

/** A message with every scalar, list and map that it leaves out, as Triton's servers print it; messages only where they are given. */
export function withDefaults(value: Readonly<Record<string, unknown>>, message = 'ModelConfig'): Record<string, unknown> {
  const alternatives = ONE_OF[message] ?? [];
  const out: Record<string, unknown> = {};
  for (const [name, written] of Object.entries(MESSAGES[message] ?? {})) {
    const { type, repeated, key } = fieldType(written);
    const given = value[name];
    const isMessage = Object.hasOwn(MESSAGES, type);
    const fill = (each: unknown): unknown => (isMessage ? withDefaults(each as Record<string, unknown>, type) : each);
    if (key !== undefined) out[name] = Object.fromEntries(Object.entries((given ?? {}) as object).map(([k, v]) => [k, fill(v)]));
    else if (repeated) out[name] = ((given ?? []) as unknown[]).map(fill);
    else if (given !== undefined) out[name] = fill(given);
    else if (!isMessage && !alternatives.includes(name))
      out[name] = Object.hasOwn(ENUMS, type) ? ENUMS[type]?.[0] : type === 'string' ? '' : type === 'bool' ? false : 0;
  }
  return out;
}
