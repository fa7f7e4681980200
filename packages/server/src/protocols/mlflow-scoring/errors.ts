import type { ServerResponse } from 'node:http';
import { BinnacleError, type ErrorKind } from '../../kernel/index.ts';

const TABLE: Record<ErrorKind, readonly [number, string]> = {
  not_found: [404, 'RESOURCE_DOES_NOT_EXIST'],
  conflict: [409, 'RESOURCE_CONFLICT'],
  invalid: [400, 'BAD_REQUEST'],
  denied: [403, 'PERMISSION_DENIED'],
  exhausted: [503, 'TEMPORARILY_UNAVAILABLE'],
  unavailable: [503, 'TEMPORARILY_UNAVAILABLE'],
  unsupported: [501, 'NOT_IMPLEMENTED'],
  internal: [500, 'INTERNAL_ERROR'],
};
const STATUS_BY_CODE: Record<string, number> = { body_too_large: 413, body_stalled: 408, unsupported_encoding: 415, rate_limited: 429 };

/** MLflow's own phrases where clients match on them. */
function messageOf(error: BinnacleError): string {
  const { missing, column } = error.details;
  if (error.code === 'missing_column' && Array.isArray(missing))
    return `Failed to predict data. Error: Model is missing inputs [${missing.map((name) => `'${String(name)}'`).join(', ')}]. (${error.message})`;
  if (error.code === 'invalid_value' && column !== undefined) return `Invalid input. Data is not compatible with model signature. ${error.message}`;
  return error.message;
}

const CODES: Record<string, string> = { missing_column: 'INVALID_PARAMETER_VALUE' };

export function sendError(response: ServerResponse, error: unknown, requestId?: string): void {
  if (response.headersSent || response.destroyed) return;
  const known = error instanceof BinnacleError ? error : new BinnacleError('internal', 'internal', 'The server made a mistake; its log says more.');
  const [status, code] = TABLE[known.kind];
  const actual = STATUS_BY_CODE[known.code] ?? status;
  const body = JSON.stringify({ error_code: CODES[known.code] ?? code, message: messageOf(known) });
  const headers: Record<string, string | number> = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  if (status === 503) headers['retry-after'] = Math.ceil(known.retryAfterSeconds ?? 1);
  if (requestId !== undefined) headers['x-request-id'] = requestId;
  if (actual === 408) headers['connection'] = 'close';
  response.writeHead(actual, headers).end(body);
}

export function sendText(response: ServerResponse, status: number, text: string): undefined {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(text) }).end(text);
  return undefined;
}
