import { type ClientHttp2Session, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Type } from 'protobufjs';
import type { RemoteCall, RemoteTarget } from './client.ts';
import { away, cancelled, faultOf, garbled, timedOut, tooLarge } from './errors.ts';
import { GrpcSession } from './grpc-session.ts';
import { guardedLookup } from './hosts.ts';
import { pause, PAUSES_MS, UNSENT } from './pause.ts';

/** gRPC's codes by the HTTP statuses that stand for them here. */
const STATUS: Record<number, number> = {
  2: 500,
  3: 400,
  5: 404,
  6: 400,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
  16: 401,
};
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const HEADER_BYTES = 5;

/** A call that did not come to an answer; `unsent`: the server has not begun it, or says so. */
class BrokenCall extends Error {
  readonly unsent: boolean;
  constructor(message: string, unsent: boolean) {
    super(message);
    this.unsent = unsent;
  }
}

export interface GrpcCall extends RemoteCall {
  /** /package.Service/Method */
  method: string;
  request: Type;
  reply: Type;
  message: object;
  /** Whether the server may see the request twice. */
  repeatable: boolean;
}

/** A server elsewhere over gRPC: unary calls over one bare HTTP/2 connection, after the public PROTOCOL-HTTP2.md. */
export class GrpcPeer {
  readonly #session: GrpcSession;
  readonly #label: string;
  readonly #maxReplyBytes: number;
  readonly #headers: () => Record<string, string>;

  constructor({ spec, label, http }: RemoteTarget) {
    const url = new URL(spec.url);
    const secure = url.protocol === 'grpcs:';
    this.#session = new GrpcSession(
      `${secure ? 'https' : 'http'}://${url.hostname}:${url.port === '' ? (secure ? 443 : 8001) : url.port}`,
      http.guardLookup ? guardedLookup : undefined,
    );
    this.#label = label;
    this.#maxReplyBytes = http.maxReplyBytes;
    this.#headers = http.headers;
  }

  /** Throws as `HttpPeer` and `faultOf` do; tries again what the server has not begun, and once what broke on a connection that was kept. */
  async call<T>(call: GrpcCall): Promise<T> {
    const body = call.request.encode(call.message as Record<string, unknown>).finish();
    for (let attempt = 0; ; attempt++) {
      try {
        return call.reply.decode(await this.#once(call, body)) as T;
      } catch (error) {
        if (!(error instanceof BrokenCall))
          throw error instanceof RangeError || (error as Error).name === 'ProtocolError' ? garbled(this.#label, String(error)) : error;
        const wait = error.unsent ? (call.knownAway === true ? undefined : PAUSES_MS[attempt]) : call.repeatable && attempt === 0 ? 0 : undefined;
        if (wait === undefined || performance.now() + wait >= call.deadline) throw away(this.#label, error.message);
        await pause(wait, call.signal);
      }
    }
  }

  async #connection({ deadline, signal }: GrpcCall): Promise<ClientHttp2Session> {
    let timer: NodeJS.Timeout | undefined;
    let abort = (): void => {};
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          reject(away(this.#label, 'no connection came about in time'));
          this.#session.abandon();
        },
        Math.max(0, deadline - performance.now()),
      );
      abort = () => reject(cancelled());
      signal?.addEventListener('abort', abort, { once: true });
    });
    try {
      return await Promise.race([this.#session.get(), late]);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== undefined && UNSENT.has(code)) throw new BrokenCall(code, true);
      if ((error as Error).name === 'BinnacleError') throw error;
      throw new BrokenCall(code ?? message, true);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  async #once(call: GrpcCall, body: Uint8Array): Promise<Buffer> {
    if (call.signal?.aborted === true) throw cancelled();
    const session = await this.#connection(call);
    const started = performance.now();
    const left = Math.max(1, Math.ceil(call.deadline - started));
    return new Promise((resolve, reject) => {
      const { signal } = call;
      let stream: ReturnType<ClientHttp2Session['request']>;
      try {
        stream = session.request({
          ':method': 'POST',
          ':path': call.method,
          'content-type': 'application/grpc',
          te: 'trailers',
          'grpc-accept-encoding': 'identity',
          'grpc-timeout': `${Math.min(left, 99_999_999)}m`,
          ...this.#headers(),
        });
      } catch (error) {
        return reject(new BrokenCall((error as Error).message, true));
      }
      const parts: Buffer[] = [];
      let size = 0;
      let head: IncomingHttpHeaders | undefined;
      let trailers: IncomingHttpHeaders | undefined;
      let over = false;
      const settle = (finish: () => void): void => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        finish();
      };
      const giveUp = (error: Error): void =>
        settle(() => {
          reject(error);
          stream.close(constants.NGHTTP2_CANCEL);
        });
      const onAbort = (): void => giveUp(cancelled());
      const timer = setTimeout(() => {
        giveUp(timedOut(this.#label, performance.now() - started));
        this.#session.doubt(session);
      }, left);
      signal?.addEventListener('abort', onAbort, { once: true });
      stream.on('response', (headers) => {
        head = headers;
      });
      stream.on('trailers', (headers) => {
        trailers = headers;
      });
      stream.on('data', (part: Buffer) => {
        size += part.length;
        if (size > this.#maxReplyBytes + HEADER_BYTES) return giveUp(tooLarge(this.#label, this.#maxReplyBytes));
        parts.push(part);
      });
      stream.on('error', () => {});
      // Comes whatever happened, after everything else.
      stream.on('close', () =>
        settle(() => {
          const status = trailers?.['grpc-status'] ?? head?.['grpc-status'];
          if (status !== undefined) return this.#answer(status, trailers ?? head ?? {}, parts, performance.now() - started, resolve, reject);
          if (head !== undefined && Number(head[':status']) !== 200)
            return reject(faultOf(this.#label, { status: Number(head[':status']), text: `it answered HTTP ${String(head[':status'])} to a gRPC call` }));
          reject(new BrokenCall('the connection broke', stream.rstCode === constants.NGHTTP2_REFUSED_STREAM));
        }),
      );
      stream.write(frameHeader(body.length));
      stream.end(body);
    });
  }

  #answer(
    status: string | string[],
    headers: IncomingHttpHeaders,
    parts: Buffer[],
    ms: number,
    resolve: (message: Buffer) => void,
    reject: (error: Error) => void,
  ): void {
    const code = Number(status);
    const text = decodeMessage(String(headers['grpc-message'] ?? ''));
    if (code === CANCELLED) return reject(faultOf(this.#label, { status: 503, text: text || 'it cancelled the call' }));
    if (code === DEADLINE_EXCEEDED) return reject(timedOut(this.#label, ms));
    if (code !== 0) return reject(faultOf(this.#label, { status: STATUS[code] ?? 500, text: text || `gRPC status ${code}` }));
    const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    if (bytes.length < HEADER_BYTES || bytes[0] !== 0 || bytes.readUInt32BE(1) !== bytes.length - HEADER_BYTES)
      return reject(garbled(this.#label, 'a gRPC message that is compressed, cut or not alone'));
    resolve(bytes.subarray(HEADER_BYTES));
  }

  close(): void {
    this.#session.close();
  }
}

function frameHeader(length: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(length, 1);
  return header;
}

/** Percent-encoded UTF-8. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
