import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { OperationInput, OperationResponse } from '@binnacle/contract';

export interface RequestContext {
  request: IncomingMessage;
  /** The raw body, for operations with `rawBody`. */
  body: Readable;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
}

/** What an operation with `rawResponse` returns. */
export class RawReply {
  readonly headers: Record<string, string>;
  readonly body: Readable | Uint8Array | string;
  readonly status: number;
  constructor(body: Readable | Uint8Array | string, headers: Record<string, string>, status = 200) {
    this.body = body;
    this.headers = headers;
    this.status = status;
  }
}

/** One function an operation: validated input in, the contract's response out. Errors are thrown as BinnacleError. */
export type Handlers<T> = {
  [K in keyof T]: (
    input: OperationInput<T[K]>,
    context: RequestContext,
  ) => Promise<T[K] extends { rawResponse: true } ? RawReply : OperationResponse<T[K]> | RawReply>;
};
