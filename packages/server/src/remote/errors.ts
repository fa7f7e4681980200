import { BinnacleError, exhausted, internal, invalid, unavailable, unsupported } from '../kernel/index.ts';

const MAX_TEXT = 1000;

/** What a server elsewhere said, fit to be passed on: bounded, one line, no control characters. */
export function tidy(text: string): string {
  const line = text
    .slice(0, 4 * MAX_TEXT)
    .toWellFormed()
    .replaceAll(/\p{C}+|\s+/gu, ' ')
    .trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line;
}

export const cancelled = (): BinnacleError => unavailable('cancelled', 'The request was cancelled.');
export const timedOut = (label: string, ms: number): BinnacleError =>
  unavailable('remote_timeout', `${label} did not answer within ${Math.round(ms)} ms.`, { retryAfterSeconds: 1 });
export const away = (label: string, why: string, cause?: unknown): BinnacleError =>
  unavailable('remote_unreachable', `${label} cannot be reached: ${tidy(why)}.`, { retryAfterSeconds: 1, cause });
export const tooLarge = (label: string, limit: number): BinnacleError =>
  internal('remote_reply_too_large', `${label} answered more than ${limit} bytes, which is the limit here (maxBodyBytes).`);
export const garbled = (label: string, what: string): BinnacleError =>
  internal('remote_reply_invalid', `${label} answered what cannot be read: ${tidy(what)}.`);

const AWAY = new Set(['remote_unreachable', 'remote_unavailable', 'remote_denied', 'remote_model_missing']);

/** Whether an error says that the model cannot be had there at the moment; one that refuses a request, or is too slow for it, is well. */
export const isAway = (error: unknown): boolean => error instanceof BinnacleError && AWAY.has(error.code);

const SAID = new Set(['remote_exhausted', 'remote_unsupported', 'remote_refused', 'remote_failed']);

/** Whether an error is what the server itself said of a request: it is there, then. */
export const isAnswer = (error: unknown): boolean => error instanceof BinnacleError && SAID.has(error.code);

export interface RemoteFault {
  /** An HTTP status, or the one that HTTP has for a gRPC code. */
  status: number;
  text: string;
  retryAfterSeconds?: number | undefined;
}

/**
 * A refusal of the server's as one of ours. Its text comes through. What is wrong between the two servers (a token, a model that is not there) is no fault
 * of the caller's and is `unavailable`.
 */
export function faultOf(label: string, { status, text, retryAfterSeconds = 1 }: RemoteFault): BinnacleError {
  const said = tidy(text) || `status ${status}`;
  const options = { details: { status }, retryAfterSeconds };
  if (status === 401 || status === 403) return unavailable('remote_denied', `${label} refuses this server's credentials: ${said}`, options);
  if (status === 404 || status === 405) return unavailable('remote_model_missing', `${label} does not have the model: ${said}`, options);
  if (status === 408 || status === 504) return unavailable('remote_timeout', `${label} ran out of time: ${said}`, options);
  if (status === 429 || (status === 503 && /queue size|too many|exhausted/i.test(said))) return exhausted('remote_exhausted', said, options);
  if (status === 501) return unsupported('remote_unsupported', said, { details: { status } });
  if (status >= 400 && status < 500) return invalid('remote_refused', said, { details: { status } });
  if (status === 503 || status === 502) return unavailable('remote_unavailable', `${label} is not available: ${said}`, options);
  return internal('remote_failed', `${label} failed: ${said}`, { details: { status } });
}
