import { type BinnacleError, invalid, shown, unsupported } from '../../kernel/index.ts';

/** Trace settings as they are used. */
export interface Levels {
  level: ('TIMESTAMPS' | 'TENSORS')[];
  /** One of so many requests is traced. */
  rate: number;
  /** Traces left; -1: no limit. */
  count: number;
  /** Traces a file; 0: all in one. */
  frequency: number;
}

export const DEFAULTS: Levels = { level: [], rate: 1000, count: -1, frequency: 0 };

/** So many traces may wait in memory for their file. */
const MAX_FREQUENCY = 10_000;

const bad = (text: string): BinnacleError => invalid('invalid_trace_setting', text);

/** `before` with what the wire's settings change; null goes back to `base`. Names that Triton does not know are left out, as there. */
export function changed(before: Levels, settings: Readonly<Record<string, unknown>>, base: Levels): Levels {
  const next = { ...before };
  for (const [name, value] of Object.entries(settings)) {
    if (name === 'trace_file') throw unsupported('trace_file_fixed', 'trace file location can not be updated through network protocol');
    else if (name === 'trace_level') next.level = value === null ? base.level : levelsOf(value);
    else if (name === 'trace_rate') next.rate = value === null ? base.rate : whole(name, value, 1);
    else if (name === 'trace_count') next.count = value === null ? base.count : whole(name, value, -1);
    else if (name === 'log_frequency') next.frequency = value === null ? base.frequency : whole(name, value, 0, MAX_FREQUENCY);
  }
  return next;
}

function levelsOf(value: unknown): Levels['level'] {
  const list = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list)) throw bad(`trace_level: attempt to access JSON non-array as array (got ${shown(value)})`);
  for (const level of list)
    if (level !== 'OFF' && level !== 'TIMESTAMPS' && level !== 'TENSORS')
      throw bad(`Unable to parse 'trace_level', got: ${shown(level)}; use OFF, TIMESTAMPS or TENSORS`);
  return list.includes('OFF') ? [] : [...new Set(list as Levels['level'])];
}

/** The wire has them as strings; a list of one (gRPC) will do, and a number. */
function whole(name: string, value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const one = Array.isArray(value) && value.length === 1 ? value[0] : value;
  const number = typeof one === 'string' && /^-?\d{1,10}$/.test(one) ? Number(one) : one;
  if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
  throw bad(
    `Unable to parse '${name}', got: ${typeof one === 'string' ? one : shown(one)} (a whole number, ${least} or more${most === Number.MAX_SAFE_INTEGER ? '' : `, ${most} at most`})`,
  );
}
