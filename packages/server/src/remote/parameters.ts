import { invalid } from '../kernel/index.ts';
import type { RunCall } from '../serving/index.ts';

/** Priority, time-out, sequence and further parameters of a request, as Open Inference carries them; undefined when there are none. */
export function parametersOf(call: RunCall | undefined): Record<string, string | number | boolean | bigint> | undefined {
  if (call === undefined) return undefined;
  const { parameters, priority, timeoutMicros, sequence } = call;
  const out: Record<string, string | number | boolean | bigint> = {};
  for (const name in parameters) {
    const value = parameters[name];
    if (value === undefined || value === null) continue;
    if (typeof value === 'object') throw invalid('invalid_parameter', `parameter '${name}' is a list or an object, which Open Inference cannot carry`);
    out[name] = value;
  }
  if (priority !== undefined && priority !== 0) out.priority = priority;
  if (timeoutMicros !== undefined && timeoutMicros !== 0) out.timeout = timeoutMicros;
  if (sequence !== undefined) {
    out.sequence_id = sequence.id;
    out.sequence_start = sequence.start;
    out.sequence_end = sequence.end;
  }
  return Object.keys(out).length === 0 ? undefined : out;
}

/** JSON of parameters, whose sequence ids may be beyond what JSON.stringify takes. */
export const parametersJson = (parameters: Record<string, string | number | boolean | bigint>): string =>
  `{${Object.entries(parameters)
    .map(([key, value]) => `${JSON.stringify(key)}:${typeof value === 'bigint' ? String(value) : JSON.stringify(value)}`)
    .join(',')}}`;
