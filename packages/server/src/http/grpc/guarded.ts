import type { BinnacleError } from '../../kernel/index.ts';
import type { createGuard } from '../guard.ts';
import type { Exchange } from './exchange.ts';

/** The credentials that a connection has shown and that were right: calls that repeat them need no second look. */
export interface AcceptedBy {
  accepted: { authority: string | undefined; authorization: string | undefined } | undefined;
}

/** The guard of the HTTP port over a call: `:authority` is its Host, the metadata `authorization` carries the token. */
export function checkCall(guard: ReturnType<typeof createGuard>, { headers, path }: Exchange, open: boolean, state: AcceptedBy): BinnacleError | undefined {
  const { ':authority': authority, authorization, origin } = headers;
  if (origin === undefined && state.accepted !== undefined && state.accepted.authority === authority && state.accepted.authorization === authorization)
    return undefined;
  const refusal = guard({ method: 'POST', headers: { host: authority ?? headers.host, origin, authorization, cookie: undefined } }, path, open);
  if (refusal === undefined && !open && origin === undefined) state.accepted = { authority, authorization };
  return refusal;
}
