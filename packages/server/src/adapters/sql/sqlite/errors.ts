import { BinnacleError, exhausted, internal, invalid, unavailable } from '../../../kernel/index.ts';

/** Its limits (https://www.sqlite.org/limits.html) that a filter, a sort order or a list of ids can reach. */
const TOO_COMPLEX =
  /^(too many SQL variables|Expression tree is too large|LIKE or GLOB pattern too complex|too many (terms|columns|attached|FROM)|at most \d+ tables in a join|string or blob too big|parser stack overflow)/i;

/** SQLite's primary result codes that an operator can act on (https://www.sqlite.org/rescode.html). */
export function mapSqliteError(error: unknown, file: string): unknown {
  if (error instanceof BinnacleError || !(error instanceof Error)) return error;
  const code = (error as { errcode?: number }).errcode;
  if (code === undefined) return error;
  if (TOO_COMPLEX.test(error.message))
    return invalid('query_too_complex', `The request asks for more than one query of the database can hold (${error.message}). Ask for less at once.`, {
      cause: error,
    });
  switch (code & 0xff) {
    case 13:
      return exhausted('disk_full', `The disk that holds ${file} is full. Nothing of this request was written; free some space and send it again.`, {
        cause: error,
        retryAfterSeconds: 30,
      });
    case 5:
    case 6:
      return unavailable('database_busy', `The database ${file} is locked by another program. Try again.`, { cause: error, retryAfterSeconds: 1 });
    case 10:
      return unavailable('database_io', `Reading or writing ${file} failed (${error.message}). Nothing of this request was written; check the disk.`, {
        cause: error,
        retryAfterSeconds: 5,
      });
    case 8:
      return unavailable('database_readonly', `The database ${file} cannot be written. Check the permissions of the data directory.`, { cause: error });
    case 11:
    case 26:
      return internal('database_corrupt', `The database ${file} is damaged (${error.message}). Restore it from a backup.`, { cause: error });
    default:
      return error;
  }
}
