import { type BinnacleError, invalid, shown } from '../../kernel/index.ts';
import type { RunCall, SequenceCall } from '../../serving/index.ts';

/** What a request's parameters may be. */
export type ParameterValue = string | number | boolean | bigint;

const bad = (text: string): BinnacleError => invalid('invalid_parameter', text);
const MAX_UINT64 = 2n ** 64n - 1n;

/** Parameters of the protocol itself, which no model sees. */
const OWN = new Set(['sequence_id', 'sequence_start', 'sequence_end', 'priority', 'timeout', 'binary_data_output', 'headers']);

function unsigned(name: string, value: unknown): number {
  if (typeof value === 'bigint' && value >= 0n && value <= MAX_UINT64) return Number(value);
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw bad(
    `Unable to parse '${name}': attempt to access JSON non-unsigned-integer as unsigned-integer (it must be a whole number, 0 or more, not ${shown(value)})`,
  );
}

function flag(name: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw bad(`Unable to parse '${name}': attempt to access JSON non-boolean as boolean (it must be true or false, not ${shown(value)})`);
}

/** 0 and '' are no sequence. */
function sequenceOf(parameters: Readonly<Record<string, unknown>>): SequenceCall | undefined {
  const { sequence_id: id, sequence_start, sequence_end } = parameters;
  const start = flag('sequence_start', sequence_start);
  const end = flag('sequence_end', sequence_end);
  if (id === undefined || id === 0 || id === 0n || id === '') return undefined;
  if (typeof id === 'string') return { id, start, end };
  if (typeof id === 'bigint' && id > 0n && id <= MAX_UINT64) return { id, start, end };
  if (typeof id === 'number' && Number.isInteger(id) && id > 0) return { id: BigInt(id), start, end };
  throw bad(`Unable to parse 'sequence_id': it must be a whole number from 0 to 2^64-1, or a string, not ${shown(id)}`);
}

/**
 * A request's parameters as what the run is told: `priority` (1 highest, 0: the model's default), `timeout` (microseconds in the queue), the
 * sequence, and what is nobody's but the model's. Undefined when there is nothing to tell. Throws `invalid` with Triton's texts.
 */
export function callOf(parameters: Readonly<Record<string, unknown>>): RunCall | undefined {
  let call: RunCall | undefined;
  // Filled in place: a copy for each name would cost the square of their number. Without a prototype, for the names are the client's.
  let own: Record<string, string | number | boolean> | undefined;
  for (const name in parameters) {
    const value = parameters[name];
    if (value === undefined) continue;
    if (name === 'priority') {
      const priority = unsigned(name, value);
      if (priority > 0) (call ??= {}).priority = priority;
    } else if (name === 'timeout') {
      const timeout = unsigned(name, value);
      if (timeout > 0) (call ??= {}).timeoutMicros = timeout;
    } else if (!OWN.has(name) && !name.startsWith('triton_')) {
      const plain = typeof value === 'bigint' ? Number(value) : value;
      if (typeof plain !== 'string' && typeof plain !== 'boolean' && typeof plain !== 'number')
        throw bad(`parameter '${name}' has invalid type. It should be either 'int', 'bool', or 'string'.`);
      (own ??= Object.create(null) as Record<string, string | number | boolean>)[name] = plain;
    }
  }
  if (own !== undefined) (call ??= {}).parameters = own;
  const sequence = sequenceOf(parameters);
  if (sequence !== undefined) (call ??= {}).sequence = sequence;
  return call;
}
