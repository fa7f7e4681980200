import type { IncomingHttpHeaders } from 'node:http2';

/** A call as its handler sees it. */
export interface GrpcCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Metadata, names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Milliseconds since the epoch, and `performance.now()`, when the call came. */
  readonly receivedAt: number;
  readonly startedAt: number;
  /** Aborted when the client has cancelled or gone, or when its deadline is over. */
  readonly signal: AbortSignal;
  /**
   * Set by a unary handler: runs once the reply has been handed to the socket. The request's memory is used again when what it returns has
   * resolved.
   */
  afterReply: (() => Promise<void> | undefined) | undefined;
  /** Called, after `afterReply`, when the operating system has the whole reply: what it was made of may be freed. Not called when it never does. */
  onSent: (() => void) | undefined;
}

/** A call that is answered by several messages. */
export interface GrpcStreamCall<Reply> extends GrpcCall {
  /** Sends a message. A promise when the client does not keep up: to be awaited before the next. Does nothing once the call is over. */
  write(reply: Reply): Promise<void> | undefined;
  /** Set by a handler that has no end of its own: called when the server is about to stop, so that the call comes to one. */
  onDrain: (() => void) | undefined;
}

interface Codec<Request, Reply> {
  /** Bytes of one message. What it throws goes back as INTERNAL, as gRPC wants it of a message that cannot be read. */
  decode(bytes: Buffer): Request;
  /** In one piece, or in several that are sent one after the other without a copy. */
  encode(reply: Reply): Uint8Array | readonly Uint8Array[];
  /** Answered without a token: probes. */
  open?: boolean | undefined;
}

export interface UnaryMethod<Request = unknown, Reply = unknown> extends Codec<Request, Reply> {
  kind: 'unary';
  handle(request: Request, call: GrpcCall): Reply | Promise<Reply>;
}

export interface ServerStreamMethod<Request = unknown, Reply = unknown> extends Codec<Request, Reply> {
  kind: 'server-stream';
  /** The call ends when it resolves. */
  handle(request: Request, call: GrpcStreamCall<Reply>): Promise<void>;
}

/** What a handler makes of a stream's messages. */
export interface StreamHandler<Request> {
  /**
   * One message, in the order in which they came; it does not wait for the one before. The stream is read no further while many are under
   * way. A message's memory is used again when what this returns has resolved. What it throws ends the call.
   */
  message(request: Request): Promise<void> | undefined;
}

export interface BidiMethod<Request = unknown, Reply = unknown> extends Codec<Request, Reply> {
  kind: 'bidi';
  /** The call ends when the client has half-closed it and every message is done. */
  start(call: GrpcStreamCall<Reply>): StreamHandler<Request>;
}

// Handlers of several types live in one table: each is fed by its own `decode` alone.
// eslint-disable-next-line typescript/no-explicit-any
export type GrpcMethod = UnaryMethod<any, any> | ServerStreamMethod<any, any> | BidiMethod<any, any>;

/** A service, whose codecs load at its first call. */
export interface GrpcService {
  /** `package.Service`. */
  name: string;
  /** Its methods by their names. */
  load(): Promise<Record<string, GrpcMethod>>;
}
