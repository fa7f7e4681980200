import { BinnacleError, type ErrorKind, invalid, unavailable } from '../../kernel/index.ts';

/** gRPC's status codes (https://grpc.io/docs/guides/status-codes/). */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;
export type StatusCode = (typeof Status)[keyof typeof Status];

/** As Triton has them: a full queue is UNAVAILABLE, so that clients try elsewhere. */
const BY_KIND: Record<ErrorKind, StatusCode> = {
  not_found: Status.NOT_FOUND,
  conflict: Status.ALREADY_EXISTS,
  invalid: Status.INVALID_ARGUMENT,
  denied: Status.PERMISSION_DENIED,
  exhausted: Status.UNAVAILABLE,
  unavailable: Status.UNAVAILABLE,
  unsupported: Status.UNIMPLEMENTED,
  internal: Status.INTERNAL,
};

/** Codes whose status differs from that of their kind. */
const BY_CODE: Record<string, StatusCode> = {
  unauthenticated: Status.UNAUTHENTICATED,
  message_too_large: Status.RESOURCE_EXHAUSTED,
  bodies_full: Status.RESOURCE_EXHAUSTED,
  rate_limited: Status.RESOURCE_EXHAUSTED,
  body_too_large: Status.RESOURCE_EXHAUSTED,
  signature_not_found: Status.FAILED_PRECONDITION,
  bad_message: Status.INTERNAL,
  deadline_exceeded: Status.DEADLINE_EXCEEDED,
  cancelled: Status.CANCELLED,
  client_gone: Status.CANCELLED,
};

export interface WireStatus {
  status: StatusCode;
  message: string;
}

/** What is not a BinnacleError is a defect of ours: its text stays in the log. */
export function toWireStatus(error: unknown): WireStatus {
  if (!(error instanceof BinnacleError)) return { status: Status.INTERNAL, message: 'the server made a mistake; its log says more' };
  return { status: BY_CODE[error.code] ?? BY_KIND[error.kind], message: error.message };
}

/** Longest message in a trailer, bytes of UTF-8; clients refuse headers of more than a few KiB. */
const MAX_MESSAGE = 2000;

/** As the `grpc-message` trailer wants it: UTF-8, and percent-encoded what is no printable ASCII. */
export function encodeMessage(message: string): string {
  const cut = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE).toWellFormed()}…` : message;
  if (/^[\x20-\x24\x26-\x7e]*$/.test(cut)) return cut;
  let out = '';
  for (const byte of Buffer.from(cut, 'utf8'))
    out += byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return out;
}

/** What breaks gRPC's framing, or the order of a call. */
export const badMessage = (text: string, cause?: unknown): BinnacleError => invalid('bad_message', text, cause === undefined ? {} : { cause });
export const stopping = (): BinnacleError => unavailable('server_stopping', 'The server is shutting down.');
