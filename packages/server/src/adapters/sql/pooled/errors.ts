import { BinnacleError, denied, exhausted, invalid, notFound, unavailable } from '../../../kernel/index.ts';
import type { DatabaseServer } from '../database-url.ts';

/** A way in which a database server fails, whatever code it has for it. */
export type Failure =
  | 'unreachable'
  | 'denied'
  | 'no_database'
  | 'disk_full'
  | 'read_only'
  | 'too_complex'
  | 'too_long'
  | 'not_storable'
  | 'out_of_range'
  | 'no_privilege';

const BROKEN = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ECONNABORTED']);

export const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

/** The network failed, as Node says it. */
export const isBroken = (error: unknown): boolean =>
  BROKEN.has(codeOf(error)) || (error instanceof AggregateError && error.errors.some((one) => BROKEN.has(codeOf(one))));

/** A failure as a room may show it. `detail` is what the server said of it. */
export function failureError(failure: Failure, server: DatabaseServer, error: unknown): BinnacleError {
  const { place } = server;
  const detail = error instanceof Error && error.message !== '' ? error.message : codeOf(error);
  const cause = error;
  switch (failure) {
    case 'unreachable':
      return unavailable(
        'database_unreachable',
        `The database ${place} does not answer (${detail}). Nothing of this request was written; see that the server runs and can be reached, and send it again.`,
        { cause, retryAfterSeconds: 1 },
      );
    case 'denied':
      return denied('database_denied', `The database ${place} refuses the user or the password (${detail}).`, { cause });
    case 'no_database':
      return notFound('database_not_found', `The server has no database ${server.database} (${place}). Create it, empty; Binnacle makes its tables itself.`, {
        cause,
      });
    case 'disk_full':
      return exhausted('disk_full', `The database ${place} has no space left. Nothing of this request was written; free some space and send it again.`, {
        cause,
        retryAfterSeconds: 30,
      });
    case 'read_only':
      return unavailable('database_readonly', `The database ${place} cannot be written now (${detail}).`, { cause, retryAfterSeconds: 5 });
    case 'too_complex':
      return invalid('query_too_complex', `The request asks for more than one query of the database can hold (${detail}). Ask for less at once.`, { cause });
    case 'too_long':
      return invalid('text_too_long', `A text is longer than the database keeps (${detail}). Shorten it.`, { cause });
    case 'not_storable':
      return invalid('text_not_storable', `A text has a character that the database cannot keep (${detail}), such as U+0000. Take it out.`, { cause });
    case 'out_of_range':
      return invalid('number_out_of_range', `A number is beyond what the database keeps (${detail}).`, { cause });
    default:
      return denied('database_privilege', `The user of ${place} may not do this (${detail}). It must own its database: create tables, read and write.`, {
        cause,
      });
  }
}
