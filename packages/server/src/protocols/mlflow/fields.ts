import { invalid, isObject } from '../../kernel/index.ts';
import { invalidValue, missingValue, SEE_DOCS } from '../../tracking/index.ts';

type Json = Record<string, unknown>;
/** A field is not what the API describes. */
const malformed = (path: string, value: unknown, why: string): Error => invalidValue(path, value, `${why} ${SEE_DOCS}`);
const typeName = (value: unknown): string =>
  Array.isArray(value)
    ? 'list'
    : value === null
      ? 'NoneType'
      : typeof value === 'object'
        ? 'dict'
        : typeof value === 'string'
          ? 'str'
          : typeof value === 'boolean'
            ? 'bool'
            : Number.isInteger(value)
              ? 'int'
              : 'float';

/**
 * Reads the parameters of an MLflow request as protobuf's JSON mapping does, with its clients' habits: int64 as numbers or strings (Java),
 * every scalar as a string (R), enums by name or number, NaN and infinities as strings, both spellings of a field (`run_id`, `runId`).
 * null counts as absent, unknown fields are ignored. Errors are `invalid` in MLflow's words and name the parameter with its path.
 */
export class Fields {
  readonly #values: Json;
  readonly #path: string;

  constructor(values: unknown, path = '') {
    if (!isObject(values)) throw malformed(path === '' ? 'request' : path, values, 'expected a JSON object.');
    this.#values = values;
    this.#path = path;
  }

  #name(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #raw(name: string): unknown {
    if (Object.hasOwn(this.#values, name)) return this.#values[name] ?? undefined;
    const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return Object.hasOwn(this.#values, camel) ? (this.#values[camel] ?? undefined) : undefined;
  }

  has(name: string): boolean {
    return this.#raw(name) !== undefined;
  }

  #wrongType(name: string, value: unknown): Error {
    return malformed(this.#name(name), value, ` Hint: Value was of type '${typeName(value)}'.`);
  }

  #required<T>(name: string, value: T | undefined): T {
    if (value === undefined || value === '') throw missingValue(this.#name(name));
    return value;
  }

  /** A string; absent stays undefined. */
  string(name: string): string | undefined {
    const value = this.#raw(name);
    if (value === undefined || typeof value === 'string') return value;
    throw this.#wrongType(name, value);
  }

  /** A string that must be there and not be empty. */
  requiredString(name: string): string {
    return this.#required(name, this.string(name));
  }

  /** `run_id`, or its old name `run_uuid`. */
  runId(): string {
    return this.#required('run_id', this.string('run_id') || this.string('run_uuid'));
  }

  /** An integer that a double holds exactly; numbers and strings are taken. */
  int(name: string): number | undefined {
    const value = this.#raw(name);
    if (value === undefined) return undefined;
    // R writes a hundred thousand as 1e+05.
    const number = typeof value === 'string' ? (parseDouble(value) ?? value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number)) throw this.#wrongType(name, value);
    if (!Number.isSafeInteger(number)) throw malformed(this.#name(name), value, 'integers beyond ±9007199254740991 are not kept exactly, so they are refused.');
    return number;
  }

  requiredInt(name: string): number {
    return this.#required(name, this.int(name));
  }

  /** A double; NaN and infinities come as strings. */
  number(name: string): number | undefined {
    const value = this.#raw(name);
    if (value === undefined || typeof value === 'number') return value;
    if (typeof value === 'string') {
      const parsed = parseDouble(value);
      if (parsed !== undefined) return parsed;
    }
    throw this.#wrongType(name, value);
  }

  requiredNumber(name: string): number {
    if (this.#raw(name) === '') throw missingValue(this.#name(name));
    return this.#required(name, this.number(name));
  }

  bool(name: string): boolean | undefined {
    const value = this.#raw(name);
    if (value === undefined || typeof value === 'boolean') return value;
    const text = typeof value === 'string' ? value.toLowerCase() : undefined;
    if (text === 'true') return true;
    if (text === 'false') return false;
    throw this.#wrongType(name, value);
  }

  /** An enum by name or by number, as its name. */
  oneOf<T extends string>(name: string, byNumber: Readonly<Record<number, T>>): T | undefined {
    const value = this.#raw(name);
    if (value === undefined || value === '') return undefined;
    const names = Object.values(byNumber);
    if (typeof value === 'string' && (names as string[]).includes(value)) return value as T;
    const found = typeof value === 'string' || typeof value === 'number' ? byNumber[Number(value)] : undefined;
    if (found !== undefined) return found;
    throw malformed(this.#name(name), value, `expected one of ${names.join(', ')}.`);
  }

  /** A list; a single value counts as a list of one, since a query string cannot tell them apart. */
  list(name: string): unknown[] | undefined {
    const value = this.#raw(name);
    if (value === undefined || Array.isArray(value)) return value;
    if (this.#path === '' && typeof value !== 'object') return [value];
    throw this.#wrongType(name, value);
  }

  /** A list that comes in a body, where a single value is a mistake. */
  bodyList(name: string): unknown[] {
    const value = this.#raw(name) ?? [];
    if (!Array.isArray(value)) throw this.#wrongType(name, value);
    return value;
  }

  strings(name: string): string[] | undefined {
    return this.list(name)?.map((item, index) => {
      if (typeof item === 'string') return item;
      if (typeof item === 'number') return String(item);
      throw malformed(`${this.#name(name)}[${index}]`, item, ` Hint: Value was of type '${typeName(item)}'.`);
    });
  }

  /** A list of messages, each read with its path (`metrics[3]`). */
  messages(name: string): Fields[] {
    return this.bodyList(name).map((item, index) => new Fields(item, `${this.#name(name)}[${index}]`));
  }

  message(name: string): Fields | undefined {
    const value = this.#raw(name);
    return value === undefined ? undefined : new Fields(value, this.#name(name));
  }

  /** `[{key, value}]`: keys are required, a missing value is the empty string. */
  keyValues(name: string): { key: string; value: string }[] {
    return this.messages(name).map((entry) => ({ key: entry.requiredString('key'), value: entry.scalarText('value') }));
  }

  /** A value as text; numbers and booleans are written out. */
  scalarText(name: string): string {
    const value = this.#raw(name);
    if (value === undefined) return '';
    if (typeof value === 'string') return value;
    throw this.#wrongType(name, value);
  }
}

/** A double from protobuf's JSON text; undefined when it is none. */
export function parseDouble(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed)) return Number(trimmed);
  switch (trimmed.toLowerCase()) {
    case 'nan':
      return Number.NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY;
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

/** `max_results` within 1..max, or the default. */
export function maxResults(fields: Fields, defaultValue: number, max: number, name = 'max_results'): number {
  const value = fields.int(name) ?? defaultValue;
  if (value < 1 || value > max)
    throw invalid(
      'invalid_parameter',
      `Invalid value ${value} for parameter '${name}' supplied. It must be ${value < 1 ? 'a positive integer' : `at most ${max}`}`,
    );
  return value;
}
