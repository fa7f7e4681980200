export type ErrorKind = 'not_found' | 'conflict' | 'invalid' | 'denied' | 'exhausted' | 'unavailable' | 'unsupported' | 'internal';

export interface BinnacleErrorOptions {
  details?: Record<string, unknown>;
  cause?: unknown;
  /** Seconds after which trying again makes sense; front-ends send it as Retry-After. */
  retryAfterSeconds?: number;
}

/** Messages quote what a client sent, which may be as long as a body; its own words sent back are no help. */
const MAX_MESSAGE = 8000;

/**
 * The one error class of the rooms. It knows no transport: each front-end maps `kind` to its protocol's own shape.
 * `code` is stable and machine-readable (`run_not_found`); `message` says what was wrong, where, and what to do.
 */
export class BinnacleError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly details: Record<string, unknown>;
  readonly retryAfterSeconds: number | undefined;

  constructor(kind: ErrorKind, code: string, message: string, options: BinnacleErrorOptions = {}) {
    super(
      message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE).toWellFormed()}…` : message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'BinnacleError';
    this.kind = kind;
    this.code = code;
    this.details = options.details ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

type Make = (code: string, message: string, options?: BinnacleErrorOptions) => BinnacleError;
const make =
  (kind: ErrorKind): Make =>
  (code, message, options) =>
    new BinnacleError(kind, code, message, options);

export const notFound = make('not_found');
export const conflict = make('conflict');
export const invalid = make('invalid');
export const denied = make('denied');
export const exhausted = make('exhausted');
export const unavailable = make('unavailable');
export const unsupported = make('unsupported');
export const internal = make('internal');

/** An error as plain data, for worker threads. */
export interface SerializedError {
  kind: ErrorKind | 'unknown';
  code: string;
  message: string;
  details: Record<string, unknown>;
  retryAfterSeconds: number | undefined;
  stack: string | undefined;
}

export function serializeError(error: unknown): SerializedError {
  if (error instanceof BinnacleError)
    return {
      kind: error.kind,
      code: error.code,
      message: error.message,
      details: error.details,
      retryAfterSeconds: error.retryAfterSeconds,
      stack: error.stack,
    };
  const e = error instanceof Error ? error : new Error(String(error));
  return { kind: 'unknown', code: 'internal', message: e.message, details: {}, retryAfterSeconds: undefined, stack: e.stack };
}

export function deserializeError(data: SerializedError): Error {
  if (data.kind === 'unknown') {
    const error = new Error(data.message);
    if (data.stack !== undefined) error.stack = data.stack;
    return error;
  }
  return new BinnacleError(data.kind, data.code, data.message, { details: data.details, retryAfterSeconds: data.retryAfterSeconds });
}
