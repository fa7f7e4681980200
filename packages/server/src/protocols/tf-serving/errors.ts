import type { ServerResponse } from 'node:http';
import { BinnacleError, type ErrorKind, notFound } from '../../kernel/index.ts';

/** Which model a request is for: TensorFlow Serving's ModelSpec. */
export interface ModelSpec {
  name: string;
  version?: number | undefined;
  label?: string | undefined;
  signature?: string | undefined;
}

/** TensorFlow Serving's word for whatever it cannot run now, be it unknown, loading or gone. */
export const servableNotFound = ({ name, version }: Pick<ModelSpec, 'name' | 'version'>): BinnacleError =>
  notFound('servable_not_found', `Servable not found for request: ${version === undefined ? `Latest(${name})` : `Specific(${name}, ${version})`}`);

/** Of the rooms' errors those that TensorFlow Serving has a text of its own for. */
export function translate(error: unknown, spec: Pick<ModelSpec, 'name' | 'version'>): unknown {
  return error instanceof BinnacleError && (error.code === 'endpoint_not_found' || error.code === 'endpoint_not_ready') ? servableNotFound(spec) : error;
}

/** TensorFlow Serving's statuses; a full queue is UNAVAILABLE there. */
const STATUS: Record<ErrorKind, number> = {
  not_found: 404,
  conflict: 409,
  invalid: 400,
  denied: 403,
  exhausted: 503,
  unavailable: 503,
  unsupported: 501,
  internal: 500,
};
const STATUS_BY_CODE: Record<string, number> = { body_too_large: 413, body_stalled: 408, unsupported_encoding: 415, deadline_exceeded: 504, rate_limited: 429 };

export function sendError(response: ServerResponse, error: unknown, requestId?: string): void {
  if (response.headersSent || response.destroyed) return;
  const known = error instanceof BinnacleError ? error : new BinnacleError('internal', 'internal', 'the server made a mistake; its log says more');
  const status = STATUS_BY_CODE[known.code] ?? STATUS[known.kind];
  const body = JSON.stringify({ error: known.message }, null, 4);
  const headers: Record<string, string | number> = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  if (status === 503 || status === 429) headers['retry-after'] = Math.ceil(known.retryAfterSeconds ?? 1);
  if (requestId !== undefined) headers['x-request-id'] = requestId;
  // The rest of a body that nobody reads any more would hold the connection.
  if (status === 408) headers['connection'] = 'close';
  response.writeHead(status, headers).end(body);
}
