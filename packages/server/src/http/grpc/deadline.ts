import { type BinnacleError, invalid, unavailable } from '../../kernel/index.ts';

const UNITS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000001 };

/** The `grpc-timeout` header as milliseconds; NaN when it is malformed. */
export function parseTimeout(text: string): number {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  return match === null ? Number.NaN : Number(match[1]) * (UNITS[match[2] as string] as number);
}

/** Node's timers take no more. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Calls `expired` when the time that the header `grpc-timeout` gives is over; undefined when it gives none. Throws `invalid`. */
export function startDeadline(header: string | string[] | undefined, expired: (error: BinnacleError) => void): NodeJS.Timeout | undefined {
  if (header === undefined) return undefined;
  const ms = parseTimeout(String(header));
  if (Number.isNaN(ms))
    throw invalid('invalid_timeout', `The grpc-timeout '${String(header).slice(0, 40)}' is malformed: 1 to 8 digits and one of H, M, S, m, u, n.`);
  return ms > LONGEST_TIMER ? undefined : setTimeout(() => expired(unavailable('deadline_exceeded', 'Deadline Exceeded')), ms);
}
