import { type ClientHttp2Session, connect } from 'node:http2';
import type { LookupFunction } from 'node:net';

/** Bytes that a server may send ahead: of a reply, of all. Large tensors would wait for a round trip every 64 KiB otherwise. */
const CALL_WINDOW = 4 * 2 ** 20;
const CONNECTION_WINDOW = 32 * 2 ** 20;
const PING_MS = 5000;

/** One HTTP/2 connection to a server, made when it is needed and anew when it is gone. */
export class GrpcSession {
  readonly #authority: string;
  readonly #lookup: LookupFunction | undefined;
  #current: Promise<ClientHttp2Session> | undefined;
  readonly #all = new Set<ClientHttp2Session>();
  #newest: ClientHttp2Session | undefined;

  constructor(authority: string, lookup: LookupFunction | undefined) {
    this.#authority = authority;
    this.#lookup = lookup;
  }

  /** Rejects with the error of the connection. */
  get(): Promise<ClientHttp2Session> {
    this.#current ??= this.#connect();
    return this.#current;
  }

  #connect(): Promise<ClientHttp2Session> {
    return new Promise((resolve, reject) => {
      const session = connect(this.#authority, {
        settings: { enablePush: false, initialWindowSize: CALL_WINDOW, maxFrameSize: 2 ** 20 },
        maxSessionMemory: 256,
        ...(this.#lookup === undefined ? {} : { lookup: this.#lookup }),
      });
      this.#all.add(session);
      this.#newest = session;
      const gone = (error: Error): void => {
        if (this.#newest === session) this.#current = undefined;
        reject(error);
      };
      session.once('connect', () => {
        session.setLocalWindowSize(CONNECTION_WINDOW);
        resolve(session);
      });
      // Streams that run end by themselves; new ones need another connection.
      session.once('goaway', () => gone(new Error('the server is going away')));
      session.on('error', gone);
      session.once('close', () => {
        this.#all.delete(session);
        gone(new Error('the connection was closed'));
      });
    });
  }

  /** A connection that has not come about by now is given up; the next call makes another. */
  abandon(): void {
    if (this.#newest?.connecting === true) this.#newest.destroy(new Error('no connection came about in time'));
  }

  /** Something took too long: a connection that does not answer a ping either is dead, and is dropped. */
  doubt(session: ClientHttp2Session): void {
    if (session.destroyed || session.closed) return;
    const timer = setTimeout(() => session.destroy(), PING_MS).unref();
    try {
      session.ping(() => clearTimeout(timer));
    } catch {
      session.destroy();
    }
  }

  close(): void {
    for (const session of this.#all) session.destroy();
  }
}
