import { BinnacleError } from '../../../kernel/index.ts';
import type { DatabaseServer } from '../database-url.ts';
import type { Verdict } from '../pooled/engine.ts';
import { codeOf, type Failure, failureError, isBroken } from '../pooled/errors.ts';

/** What `pg` says without a code of a connection that is gone. */
const GONE = /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed|Query read timeout)/i;

/** PostgreSQL's codes (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const CODES: [RegExp, Failure][] = [
  [/^28/, 'denied'],
  [/^3D000$/, 'no_database'],
  [/^53100$/, 'disk_full'],
  [/^25006$/, 'read_only'],
  [/^54/, 'too_complex'],
  [/^22001$/, 'too_long'],
  [/^(22021|22P05)$/, 'not_storable'],
  [/^22003$/, 'out_of_range'],
  [/^42501$/, 'no_privilege'],
];

/** The plan of a prepared statement is of tables that a newer server has changed since. The server says it with the code of all that it cannot do. */
export const isStalePlan = (error: unknown): boolean => codeOf(error) === '0A000' && (error as { routine?: unknown }).routine === 'RevalidateCachedQuery';

export function postgresVerdict(error: unknown): Verdict | undefined {
  const code = codeOf(error);
  if (code === '40001' || code === '40P01' || code === '55P03' || isStalePlan(error)) return 'contended';
  if (code === '23505') return 'duplicate';
  // A connection that failed (08), a server that stops or starts (57P0x), one that has no connection left (53300).
  if (/^08|^57P0|^53300$/.test(code) || isBroken(error) || (error instanceof Error && GONE.test(error.message))) return 'lost';
  return undefined;
}

export function mapPostgresError(error: unknown, server: DatabaseServer): unknown {
  if (error instanceof BinnacleError) return error;
  if (postgresVerdict(error) === 'lost') return failureError('unreachable', server, error);
  const failure = CODES.find(([pattern]) => pattern.test(codeOf(error)))?.[1];
  return failure === undefined ? error : failureError(failure, server, error);
}
