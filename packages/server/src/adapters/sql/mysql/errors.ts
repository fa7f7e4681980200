import { BinnacleError } from '../../../kernel/index.ts';
import type { DatabaseServer } from '../database-url.ts';
import type { Verdict } from '../pooled/engine.ts';
import { codeOf, type Failure, failureError, isBroken } from '../pooled/errors.ts';

const errnoOf = (error: unknown): number => Number((error as { errno?: unknown } | null)?.errno ?? 0);

/** Deadlock, lock wait timeout, a row that changed since it was read (MariaDB). */
const CONTENDED = new Set([1213, 1205, 1020]);
/** Shutting down, killed, no connection left (https://mariadb.com/kb/en/mariadb-error-codes/). */
const LOST = new Set([1053, 1040, 1317, 1927, 3032]);
const FAILURES: Record<number, Failure> = {
  1045: 'denied',
  1698: 'denied',
  1044: 'no_privilege',
  1142: 'no_privilege',
  1227: 'no_privilege',
  1370: 'no_privilege',
  1049: 'no_database',
  1021: 'disk_full',
  1114: 'disk_full',
  1290: 'read_only',
  1836: 'read_only',
  1390: 'too_complex',
  1436: 'too_complex',
  1153: 'too_complex',
  1406: 'too_long',
  1366: 'not_storable',
  1264: 'out_of_range',
  1690: 'out_of_range',
};

export function mysqlVerdict(error: unknown): Verdict | undefined {
  const errno = errnoOf(error);
  if (CONTENDED.has(errno)) return 'contended';
  if (errno === 1062) return 'duplicate';
  if (LOST.has(errno) || codeOf(error) === 'PROTOCOL_CONNECTION_LOST' || isBroken(error)) return 'lost';
  // mysql2 calls fatal what ends the connection; a refused user is fatal, too, and has its own number.
  if ((error as { fatal?: unknown } | null)?.fatal === true && FAILURES[errno] === undefined) return 'lost';
  return error instanceof Error && /closed state/.test(error.message) ? 'lost' : undefined;
}

export function mapMysqlError(error: unknown, server: DatabaseServer): unknown {
  if (error instanceof BinnacleError) return error;
  if (mysqlVerdict(error) === 'lost') return failureError('unreachable', server, error);
  const failure = FAILURES[errnoOf(error)];
  return failure === undefined ? error : failureError(failure, server, error);
}
