import { BinnacleError, type ErrorKind } from '../../kernel/index.ts';

/** MLflow's table: `error_code` by kind, and the HTTP status that goes with it. */
const TABLE: Record<ErrorKind, [code: string, status: number]> = {
  not_found: ['RESOURCE_DOES_NOT_EXIST', 404],
  conflict: ['RESOURCE_CONFLICT', 409],
  invalid: ['INVALID_PARAMETER_VALUE', 400],
  denied: ['PERMISSION_DENIED', 403],
  exhausted: ['REQUEST_LIMIT_EXCEEDED', 429],
  unavailable: ['TEMPORARILY_UNAVAILABLE', 503],
  unsupported: ['NOT_IMPLEMENTED', 501],
  internal: ['INTERNAL_ERROR', 500],
};

/**
 * Codes that MLflow tells apart within a kind. Clients retry 429 and 503 seven times, so what no retry can mend must not answer with
 * those: a refused gate and a body that is too large are the caller's to change.
 */
const BY_CODE: Record<string, [code: string, status: number]> = {
  unauthenticated: ['UNAUTHENTICATED', 401],
  no_such_route: ['ENDPOINT_NOT_FOUND', 404],
  // MLflow calls it an invalid parameter, and its clients expect so.
  alias_not_found: ['INVALID_PARAMETER_VALUE', 400],
  bad_request: ['BAD_REQUEST', 400],
  // Fastify's own: a bad URL, a broken header …
  invalid_request: ['BAD_REQUEST', 400],
  gate_failed: ['INVALID_PARAMETER_VALUE', 400],
  body_too_large: ['INVALID_PARAMETER_VALUE', 413],
  body_stalled: ['TEMPORARILY_UNAVAILABLE', 408],
  artifact_too_large: ['INVALID_PARAMETER_VALUE', 413],
  disk_full: ['TEMPORARILY_UNAVAILABLE', 503],
};

export interface MlflowError {
  status: number;
  body: { error_code: string; message: string };
  retryAfterSeconds: number | undefined;
}

/** An error in MLflow's shape. What is not a BinnacleError is a defect of ours: its message stays in the log. */
export function toMlflowError(error: unknown): MlflowError {
  if (!(error instanceof BinnacleError))
    return { status: 500, body: { error_code: 'INTERNAL_ERROR', message: 'The server made a mistake; its log says more.' }, retryAfterSeconds: undefined };
  const alreadyExists: [string, number] | undefined =
    error.kind === 'conflict' && error.code.endsWith('_exists') ? ['RESOURCE_ALREADY_EXISTS', 400] : undefined;
  const [error_code, status] = BY_CODE[error.code] ?? alreadyExists ?? TABLE[error.kind];
  return { status, body: { error_code, message: error.message }, retryAfterSeconds: error.retryAfterSeconds };
}
