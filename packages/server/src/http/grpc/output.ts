import type { ServerHttp2Stream } from 'node:http2';
import { ACCEPTED_ENCODINGS, type Encoding } from './compression.ts';
import { frameMessage } from './framing.ts';
import { encodeMessage, Status } from './status.ts';

/** HTTP/2's error code; the module that names it loads with the server only. */
const NO_ERROR = 0;

/** What goes back on a stream: headers, messages, trailers. */
export class Output {
  readonly #stream: ServerHttp2Stream;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  /** True while the client has not taken what was written. */
  get waiting(): boolean {
    return this.#drained !== undefined;
  }

  /** The one message of a unary call, and its end. */
  answer(message: Uint8Array | readonly Uint8Array[], encoding: Encoding | undefined): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    this.#respond(encoding);
    this.#trailWith(Status.OK, '');
    const parts = frameMessage(message, encoding !== undefined);
    if (parts.length === 1) {
      stream.end(parts[0]);
      return;
    }
    stream.cork();
    for (const part of parts) stream.write(part);
    stream.end();
  }

  /** One message of several. A promise when the client does not keep up; `drained` is told when it has. */
  write(message: Uint8Array | readonly Uint8Array[], drained: () => void): Promise<void> | undefined {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return undefined;
    if (!stream.headersSent) this.#respond(undefined);
    let room = true;
    stream.cork();
    for (const part of frameMessage(message)) room = stream.write(part);
    stream.uncork();
    if (room) return undefined;
    if (this.#drained === undefined) {
      this.#drained = Promise.withResolvers<void>();
      stream.once('drain', () => {
        stream.setTimeout(0);
        drained();
        this.closed();
      });
    }
    return this.#drained.promise;
  }

  /** The status, behind what was written or alone. With `reset` the client is told that what it still sends is read by nobody. */
  finish(status: number, message: string, reset: boolean): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    if (stream.headersSent) {
      // No reset here: it would overtake the trailers. What still comes is read and dropped.
      stream.resume();
      this.#trailWith(status, message);
      stream.end();
      return;
    }
    const headers: Record<string, string | number> = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(status) };
    if (message !== '') headers['grpc-message'] = encodeMessage(message);
    if (status === Status.UNIMPLEMENTED) headers['grpc-accept-encoding'] = ACCEPTED_ENCODINGS;
    stream.respond(headers, { endStream: true });
    if (reset) stream.close(NO_ERROR);
  }

  /** Nobody waits for a stream that is gone. */
  closed(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #respond(encoding: Encoding | undefined): void {
    this.#stream.respond(
      encoding === undefined
        ? { ':status': 200, 'content-type': 'application/grpc' }
        : { ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': encoding },
      { waitForTrailers: true },
    );
  }

  #trailWith(status: number, message: string): void {
    const stream = this.#stream;
    stream.once('wantTrailers', () => {
      if (stream.destroyed) return;
      const code = String(status);
      stream.sendTrailers(message === '' ? { 'grpc-status': code } : { 'grpc-status': code, 'grpc-message': encodeMessage(message) });
    });
  }
}
