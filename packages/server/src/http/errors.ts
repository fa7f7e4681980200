import type { Problem } from '@binnacle/contract';
import { BinnacleError, type ErrorKind, invalid } from '../kernel/index.ts';

/** The native API's own table from kinds to HTTP statuses. */
const STATUS: Record<ErrorKind, number> = {
  not_found: 404,
  conflict: 409,
  invalid: 400,
  denied: 403,
  exhausted: 429,
  unavailable: 503,
  unsupported: 501,
  internal: 500,
};

/** Codes whose status differs from that of their kind. */
const STATUS_BY_CODE: Record<string, number> = {
  body_too_large: 413,
  body_stalled: 408,
  unsupported_media_type: 415,
  unauthenticated: 401,
  method_not_allowed: 405,
  disk_full: 507,
  artifact_too_large: 413,
  artifact_range_invalid: 416,
};

const TITLE: Record<ErrorKind, string> = {
  not_found: 'Not found',
  conflict: 'Conflict',
  invalid: 'Invalid request',
  denied: 'Denied',
  exhausted: 'Limit reached',
  unavailable: 'Unavailable',
  unsupported: 'Unsupported',
  internal: 'Internal error',
};

/** An error as problem+json. What is not a BinnacleError is a defect of ours: its message stays in the log. */
export function toProblem(error: unknown): Problem {
  const known = error instanceof BinnacleError ? error : new BinnacleError('internal', 'internal', 'The server made a mistake; its log says more.');
  return {
    type: `urn:binnacle:error:${known.code}`,
    title: TITLE[known.kind],
    status: STATUS_BY_CODE[known.code] ?? STATUS[known.kind],
    detail: known.message,
    code: known.code,
    ...(Object.keys(known.details).length > 0 ? { details: known.details } : {}),
  };
}

/** Fastify's own errors (malformed JSON, a body over the limit …) in our words; the rest as it is. */
export function fromFastify(error: unknown): unknown {
  if (error instanceof BinnacleError || !(error instanceof Error)) return error;
  const { code, statusCode } = error as Error & { code?: string; statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return invalid('body_too_large', 'The request body is larger than this operation takes; send it in parts.');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return invalid('unsupported_media_type', 'Send the body as application/json.');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return invalid('invalid_request', error.message);
  return error;
}

/** An error met before it is known who the client speaks to: a problem that also has the fields of MLflow's and Open Inference's errors. */
export function toAnyShape(error: unknown): Problem & { error_code: string; message: string; error: string } {
  const problem = toProblem(error);
  const error_code =
    problem.status === 401 ? 'UNAUTHENTICATED' : problem.status === 403 ? 'PERMISSION_DENIED' : problem.status < 500 ? 'BAD_REQUEST' : 'INTERNAL_ERROR';
  return { ...problem, error_code, message: problem.detail, error: problem.detail };
}
