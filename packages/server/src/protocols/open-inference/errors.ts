import type { ServerResponse } from 'node:http';
import { BinnacleError, type ErrorKind } from '../../kernel/index.ts';

/** Triton's statuses: ALREADY_EXISTS and CANCELLED are 400 there, a full queue is UNAVAILABLE. */
const STATUS: Record<ErrorKind, number> = {
  not_found: 404,
  conflict: 400,
  invalid: 400,
  denied: 403,
  exhausted: 503,
  unavailable: 503,
  unsupported: 501,
  internal: 500,
};

/** Codes that have a status of their own: a full queue is the server's trouble, a rate that is kept to is not. */
const STATUS_BY_CODE: Record<string, number> = { body_stalled: 408, rate_limited: 429 };

export interface WireError {
  status: number;
  message: string;
  retryAfter: number | undefined;
}

/** What is not a BinnacleError is a defect of ours: its text stays in the log. */
export function toWireError(error: unknown): WireError {
  if (!(error instanceof BinnacleError)) return { status: 500, message: 'the server made a mistake; its log says more', retryAfter: undefined };
  const status = STATUS_BY_CODE[error.code] ?? STATUS[error.kind];
  return { status, message: error.message, retryAfter: error.retryAfterSeconds ?? (status === 503 ? 1 : undefined) };
}

export function sendError(response: ServerResponse, error: unknown, requestId?: string): void {
  if (response.headersSent || response.destroyed) return;
  const { status, message, retryAfter } = toWireError(error);
  const body = JSON.stringify({ error: message });
  const headers: Record<string, string | number> = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  if (retryAfter !== undefined) headers['retry-after'] = Math.ceil(retryAfter);
  if (requestId !== undefined) headers['x-request-id'] = requestId;
  // The rest of a body that nobody reads any more would hold the connection.
  if (status === 408) headers['connection'] = 'close';
  response.writeHead(status, headers).end(body);
}
