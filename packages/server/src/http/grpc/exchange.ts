import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { BinnacleError, type Logger, messageOf, unavailable } from '../../kernel/index.ts';
import { slowestMs, type Watched, watchStalls } from '../data-plane/stall-watch.ts';
import { type Encoding, packWorthwhile, parseEncoding, unpackMessage } from './compression.ts';
import { startDeadline } from './deadline.ts';
import { type Message, MessageReader } from './framing.ts';
import type { GrpcMethod, GrpcStreamCall, ServerStreamMethod, StreamHandler, UnaryMethod } from './method.ts';
import { Output } from './output.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { badMessage, Status, stopping, toWireStatus } from './status.ts';

export interface ExchangeOptions {
  logger: Logger;
  /** Largest message, packed and unpacked. */
  maxMessageBytes: number;
  /** Milliseconds without a byte, either way, after which the client is given up. */
  stallMs: number;
}

/** Messages, and their bytes, of one stream that may be under way before it is read no further. */
const MAX_PENDING = 64;
const MAX_PENDING_BYTES = 32 * 2 ** 20;
/** HTTP/2's error code; the module that names it loads with the server only. */
const CANCEL = 8;

const MORE_CAME = 'a call of this method has one message, and more came';

/** The error of a message that goes no further: its memory is ours to give back, for the reader has handed it over. */
function dropped(message: Message, why: string): BinnacleError {
  message.release();
  return badMessage(why);
}

/** One HTTP/2 stream as one gRPC call: from its headers to its trailers. */
export class Exchange implements GrpcStreamCall<unknown>, Watched {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly receivedAt = Date.now();
  readonly startedAt = performance.now();
  afterReply: (() => Promise<void> | undefined) | undefined;
  onSent: (() => void) | undefined;
  onDrain: (() => void) | undefined;
  last = this.receivedAt;
  readonly stallMs: number;
  /** When the message that is under way has to be whole. */
  until: number | undefined;
  /** Which of the stream's messages that holds for. */
  #timed = 0;
  #pausedAt = 0;

  readonly #stream: ServerHttp2Stream;
  readonly #options: ExchangeOptions;
  readonly #reader: MessageReader;
  readonly #buffers: ReadBuffers;
  readonly #output: Output;
  #method: GrpcMethod | undefined;
  #handler: StreamHandler<unknown> | undefined;
  #encoding: Encoding | undefined;
  /** Unpacking takes its time, and messages keep their order. */
  #unpacking: Promise<void> | undefined;
  #controller: AbortController | undefined;
  #aborted: Error | undefined;
  #deadline: NodeJS.Timeout | undefined;
  readonly #unwatch: () => void;
  #dispatched = false;
  #pending = 0;
  #pendingBytes = 0;
  #paused = false;
  /** Told when a paused stream goes on. */
  #flows: (() => void) | undefined;
  #ended = false;
  #draining = false;
  /** The status is decided: nothing more is read or written. */
  #over = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: ExchangeOptions, buffers: ReadBuffers) {
    this.#stream = stream;
    this.#buffers = buffers;
    this.#options = options;
    this.#output = new Output(stream);
    this.path = headers[':path'] ?? '';
    this.headers = headers;
    this.stallMs = options.stallMs;
    this.#reader = new MessageReader(options.maxMessageBytes, (message) => this.#received(message));
    this.#unwatch = watchStalls(this);
    // What went wrong with the connection is told by 'close'; an error that nobody listens to would end the process.
    stream.on('error', () => {});
    stream.once('close', () => this.#closed());
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  /** Begins to read. */
  run(method: GrpcMethod): void {
    if (this.#over) return;
    this.#method = method;
    try {
      this.#encoding = parseEncoding(this.headers['grpc-encoding']);
      this.#deadline = startDeadline(this.headers['grpc-timeout'], (error) => this.fail(error));
      if (method.kind === 'bidi') this.#handler = method.start(this);
    } catch (error) {
      return this.fail(error);
    }
    this.#stream.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#stream.once('end', () => this.#end());
  }

  /** Ends the call with an error's status. */
  fail(error: unknown): void {
    if (this.#over) return;
    this.#finish();
    if (!(error instanceof BinnacleError) || error.kind === 'internal') this.#options.logger.error({ err: error, path: this.path }, 'a gRPC call failed');
    this.#abort(error instanceof Error ? error : new Error(messageOf(error)));
    const { status, message } = toWireStatus(error);
    this.#output.finish(status, message, !this.#ended);
  }

  /** The server is about to stop: a stream that could go on for ever ends between two messages. */
  drain(): void {
    this.#draining = true;
    this.onDrain?.();
    if (this.#method?.kind === 'bidi' && this.#pending === 0 && this.#unpacking === undefined) this.fail(stopping());
  }

  write(reply: unknown): Promise<void> | undefined {
    if (this.#over) return undefined;
    this.last = Date.now();
    return this.#output.write((this.#method as GrpcMethod).encode(reply), () => {
      this.last = Date.now();
    });
  }

  /** By the watch, when nothing was read for a while. */
  stalled(): void {
    if (this.#over || this.#output.waiting) {
      // A reply is on its way: Node's own timer knows whether any of it gets through.
      this.last = Number.POSITIVE_INFINITY;
      this.until = undefined;
      this.#stream.setTimeout(this.stallMs, () => this.#stream.close(CANCEL));
    } else if (this.#paused) {
      // It is us who do not read.
      this.last = Date.now();
      if (this.until !== undefined) this.until += this.last - this.#pausedAt;
      this.#pausedAt = this.last;
    } else if (this.#reader.partial || (this.#handler === undefined && !this.#dispatched && this.#method !== undefined))
      this.fail(unavailable('body_stalled', 'The request did not arrive in time.'));
    else this.last = Date.now();
  }

  #read(chunk: Buffer): void {
    if (this.#over) return;
    this.last = Date.now();
    this.#buffers.arrived(chunk);
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.fail(error);
    }
    // What came behind the message that was answered may have begun another.
    if (this.#over) this.#reader.close();
    this.#limit();
  }

  /** A large message may come for as long as a body of REST's. */
  #limit(): void {
    const { length, begun } = this.#reader;
    if (length < 0 || this.#over) this.until = undefined;
    else if (begun !== this.#timed) {
      this.#timed = begun;
      this.until = Date.now() + this.stallMs + slowestMs(length);
    }
  }

  #received(message: Message): void {
    if (message.bytes.length > 0 && this.#buffers.holds(message.bytes)) this.#buffers.viewed();
    if (this.#over) return message.release();
    if (!message.compressed && this.#unpacking === undefined) return this.#dispatch(message);
    const encoding = this.#encoding;
    if (message.compressed && encoding === undefined) throw dropped(message, 'a message says that it is packed, but there is no grpc-encoding');
    if (this.#handler === undefined && this.#unpacking !== undefined) throw dropped(message, MORE_CAME);
    const before = this.#unpacking ?? Promise.resolve();
    const own = before
      .then(async () => {
        const plain = message.compressed ? await unpackMessage(message, encoding as Encoding, this.#options.maxMessageBytes) : message;
        if (this.#unpacking === own) this.#unpacking = undefined;
        if (this.#over) plain.release();
        else this.#dispatch(plain);
      })
      .catch((error: unknown) => this.fail(error))
      .then(() => this.#settled());
    this.#unpacking = own;
    this.#pauseWhenFull();
  }

  #dispatch(message: Message): void {
    const method = this.#method as GrpcMethod;
    if (method.kind !== 'bidi' && this.#dispatched) throw dropped(message, MORE_CAME);
    this.#dispatched = true;
    let request: unknown;
    try {
      request = method.decode(message.bytes);
    } catch (cause) {
      message.release();
      throw cause instanceof BinnacleError ? cause : badMessage(`the request could not be read: ${messageOf(cause)}`, cause);
    }
    if (method.kind === 'unary') void this.#unary(method, request, message);
    else if (method.kind === 'server-stream') void this.#serverStream(method, request, message);
    else this.#streamed(request, message);
  }

  async #unary(method: UnaryMethod, request: unknown, message: Message): Promise<void> {
    try {
      const answer = method.handle(request, this);
      const reply = answer instanceof Promise ? await answer : answer;
      if (!this.#over) {
        const message = method.encode(reply);
        const packed = this.#encoding === undefined ? undefined : packWorthwhile(message, this.#encoding, this.headers);
        this.#answer(packed === undefined ? message : await packed, packed === undefined ? undefined : this.#encoding);
      }
      const after = this.afterReply?.();
      if (after !== undefined) await after;
      if (this.onSent !== undefined) {
        if (this.#stream.writableFinished) this.onSent();
        else this.#stream.once('finish', this.onSent);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      message.release();
    }
  }

  async #serverStream(method: ServerStreamMethod, request: unknown, message: Message): Promise<void> {
    try {
      await method.handle(request, this);
      this.#succeed();
    } catch (error) {
      this.fail(error);
    } finally {
      message.release();
    }
  }

  #streamed(request: unknown, message: Message): void {
    const size = message.bytes.length;
    this.#pending++;
    this.#pendingBytes += size;
    const settle = (): void => {
      message.release();
      this.#pending--;
      this.#pendingBytes -= size;
      this.#settled();
    };
    let done: Promise<void> | undefined;
    try {
      done = (this.#handler as StreamHandler<unknown>).message(request);
    } catch (error) {
      this.fail(error);
    }
    if (done === undefined) settle();
    else done.catch((error: unknown) => this.fail(error)).then(settle, () => {});
    this.#pauseWhenFull();
  }

  #pauseWhenFull(): void {
    const full = this.#pending >= MAX_PENDING || this.#pendingBytes >= MAX_PENDING_BYTES || this.#unpacking !== undefined;
    if (!full || this.#paused || this.#over) return;
    this.#paused = true;
    this.#pausedAt = Date.now();
    this.#flows = this.#buffers.keep();
    this.#stream.pause();
  }

  #settled(): void {
    if (this.#over) return;
    if (this.#paused && this.#pending < MAX_PENDING && this.#pendingBytes < MAX_PENDING_BYTES && this.#unpacking === undefined) {
      this.#paused = false;
      this.last = Date.now();
      // What waited for us is not the client's doing.
      if (this.until !== undefined) this.until += this.last - this.#pausedAt;
      this.#stream.resume();
      this.#flows?.();
    }
    if (this.#handler === undefined || this.#pending > 0 || this.#unpacking !== undefined) return;
    if (this.#ended) this.#succeed();
    else if (this.#draining) this.fail(stopping());
  }

  #end(): void {
    this.#ended = true;
    if (this.#over) return;
    if (this.#reader.partial) return this.fail(badMessage('the call ended in the middle of a message'));
    if (this.#handler !== undefined) this.#settled();
    else if (!this.#dispatched && this.#unpacking === undefined) this.fail(badMessage('the call ended without a message'));
  }

  #answer(message: Uint8Array | readonly Uint8Array[], encoding: Encoding | undefined): void {
    if (this.#over) return;
    this.#finish();
    this.last = Date.now();
    this.#output.answer(message, encoding);
  }

  #succeed(): void {
    if (this.#over) return;
    this.#finish();
    this.#output.finish(Status.OK, '', false);
  }

  /** Nothing is read any more, and what was read of a message need not wait for a client that keeps its stream. */
  #finish(): void {
    this.#over = true;
    this.#reader.close();
  }

  #abort(reason: Error): void {
    this.#aborted ??= reason;
    this.#controller?.abort(reason);
  }

  #closed(): void {
    this.#unwatch();
    clearTimeout(this.#deadline);
    this.#reader.close();
    this.#flows?.();
    if (!this.#over) {
      this.#finish();
      this.#abort(unavailable('cancelled', 'The client cancelled the request.'));
    }
    this.#output.closed();
  }
}
