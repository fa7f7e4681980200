import { ENUMS, type FieldType, fieldOf, MESSAGES, ONE_OF } from './config-schema.ts';
import { parseTextFormat, type Place, type TextField, type TextMessage, type TextScalar } from './text-format.ts';
import { TextFormatError } from './text-tokens.ts';

const INTEGERS: Record<string, [bigint, bigint]> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** A 64-bit number that a double cannot hold stands for "no limit" wherever a configuration has one. */
export const clamped = (value: bigint): number =>
  Number(value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : value < BigInt(Number.MIN_SAFE_INTEGER) ? Number.MIN_SAFE_INTEGER : value);

/** A whole number within its type's range; undefined when it is none. */
export function integerOf(type: string, value: bigint): number | undefined {
  const range = INTEGERS[type];
  return range === undefined || value < range[0] || value > range[1] ? undefined : clamped(value);
}

export const isInteger = (type: string): boolean => Object.hasOwn(INTEGERS, type);

/** A message in protobuf's text format as a plain object with the schema's field names. Throws TextFormatError with line and column. */
export function configFromText(text: string, message = 'ModelConfig'): Record<string, unknown> {
  return decode(parseTextFormat(text), message, message);
}

/** `path` leads to the message, for the error texts. */
function decode(tree: TextMessage, message: string, path: string): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const alternatives = ONE_OF[message] ?? [];
  for (const field of tree.fields) {
    const type = fieldOf(message, field.name);
    if (type === undefined) throw new TextFormatError(`${path} has no field named '${field.name}'`, field);
    const other = alternatives.includes(field.name) ? alternatives.find((name) => name !== field.name && name in out) : undefined;
    if (other !== undefined) throw new TextFormatError(`'${field.name}' excludes '${other}', which is given too`, field);
    if (type.key !== undefined) addEntries(out, field, type, path);
    else if (type.repeated) {
      const list = (out[field.name] ??= []) as unknown[];
      for (const value of field.values) list.push(valueOf(value, type, `${path}.${field.name}`));
    } else {
      if (field.list) throw new TextFormatError(`'${field.name}' takes one value, not a list`, field);
      if (field.name in out) throw new TextFormatError(`'${field.name}' is given twice`, field);
      out[field.name] = valueOf(field.values[0] as TextScalar | TextMessage, type, `${path}.${field.name}`);
    }
  }
  return out;
}

/** A map is written as messages of `key` and `value`; a key that comes again replaces the one before. */
function addEntries(out: Record<string, unknown>, field: TextField, type: FieldType, path: string): void {
  const map = (out[field.name] ??= Object.create(null)) as Record<string, unknown>;
  for (const entry of field.values) {
    if (entry.kind !== 'message') throw new TextFormatError(`'${field.name}' is a map: write { key: … value: … }`, entry);
    let key: string | undefined;
    let value: unknown;
    for (const part of entry.fields) {
      if (part.name !== 'key' && part.name !== 'value')
        throw new TextFormatError(`an entry of the map '${field.name}' has key and value, not '${part.name}'`, part);
      const [given] = part.values;
      if (part.values.length !== 1 || given === undefined) throw new TextFormatError(`'${part.name}' takes one value`, part);
      if (part.name === 'key') key = String(valueOf(given, { type: type.key as string, repeated: false, key: undefined }, `${path}.${field.name}.key`));
      else value = valueOf(given, { ...type, key: undefined }, `${path}.${field.name}`);
    }
    map[key ?? (type.key === 'string' ? '' : '0')] = value ?? (type.type in MESSAGES ? {} : '');
  }
}

function valueOf(value: TextScalar | TextMessage, { type }: FieldType, path: string): unknown {
  if (Object.hasOwn(MESSAGES, type)) {
    if (value.kind !== 'message') throw new TextFormatError(`${path} is a message: write { … }`, value);
    return decode(value, type, path);
  }
  if (value.kind === 'message') throw new TextFormatError(`${path} takes ${described(type)}, not a message`, value);
  const scalar = scalarOf(value, type);
  if (scalar === undefined)
    throw new TextFormatError(`${path} takes ${described(type)}, not ${value.kind === 'string' ? 'a string' : value.text.slice(0, 60)}`, value);
  return scalar;
}

function scalarOf({ kind, text }: TextScalar & Place, type: string): unknown {
  if (type === 'string') return kind === 'string' ? text : undefined;
  if (kind === 'string') return undefined;
  if (type === 'bool') return ['true', 'True', 't', '1'].includes(text) ? true : ['false', 'False', 'f', '0'].includes(text) ? false : undefined;
  if (isInteger(type)) return kind === 'number' ? wholeOf(text, type) : undefined;
  if (type === 'float' || type === 'double') return floatOf(text);
  const names = ENUMS[type] ?? [];
  return kind === 'name' ? (names.includes(text) ? text : undefined) : names[wholeOf(text, 'int32') ?? -1];
}

/** Decimal, hexadecimal (0x) and octal (leading 0), with a sign. */
function wholeOf(text: string, type: string): number | undefined {
  const match = /^(-?)(?:0[xX]([0-9A-Fa-f]+)|0([0-7]+)|(0|[1-9]\d*))$/.exec(text);
  if (match === null || text.length > 80) return undefined;
  const [, sign, hex, octal, decimal] = match;
  const size = BigInt(hex !== undefined ? `0x${hex}` : octal !== undefined ? `0o${octal}` : (decimal as string));
  return integerOf(type, sign === '-' ? -size : size);
}

function floatOf(text: string): number | undefined {
  const bare = text.toLowerCase().replace(/^-/, '');
  const size =
    bare === 'inf' || bare === 'infinity'
      ? Number.POSITIVE_INFINITY
      : bare === 'nan'
        ? Number.NaN
        : Number(bare.startsWith('0x') ? 'x' : bare.replace(/f$/, ''));
  return Number.isNaN(size) && bare !== 'nan' ? undefined : text.startsWith('-') ? -size : size;
}

const described = (type: string): string => {
  if (type === 'string') return 'a string in quotes';
  if (type === 'bool') return 'true or false';
  if (isInteger(type)) return `a whole number (${type})`;
  return Object.hasOwn(ENUMS, type) ? `one of ${(ENUMS[type] ?? []).join(', ')}` : 'a number';
};
