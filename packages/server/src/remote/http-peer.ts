import { Agent as HttpAgent, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { away, cancelled, timedOut, tooLarge } from './errors.ts';
import { guardedLookup } from './hosts.ts';
import { pause, PAUSES_MS, UNSENT } from './pause.ts';

export interface HttpPeerOptions {
  /** http(s)://host:port/base */
  url: string;
  /** How errors name the server. */
  label: string;
  connections: number;
  maxReplyBytes: number;
  /** Link-local addresses are refused when a name leads to them, too; false where the host is on a list. */
  guardLookup: boolean;
  /** Headers of every request, asked for each time. */
  headers(): Record<string, string>;
}

export interface HttpCall {
  method: 'GET' | 'POST';
  /** Behind the base. */
  path: string;
  headers?: Record<string, string>;
  body?: Buffer[] | undefined;
  /** `performance.now()` at which nobody waits any more. */
  deadline: number;
  signal?: AbortSignal | undefined;
  knownAway?: boolean | undefined;
  /** Whether the server may see the request twice. */
  repeatable: boolean;
}

export interface HttpReply {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

const MAX_RETRY_AFTER_MS = 5000;

class PeerError extends Error {
  readonly unsent: boolean;
  readonly stale: boolean;
  constructor(cause: NodeJS.ErrnoException, stale: boolean) {
    super(cause.code ?? cause.message, { cause });
    this.unsent = UNSENT.has(cause.code ?? '');
    this.stale = stale;
  }
}

/** A server elsewhere over HTTP/1.1: connections that are kept, deadlines, limits, and another try where it does no harm. */
export class HttpPeer {
  readonly #options: HttpPeerOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #send: typeof httpRequest;
  readonly #base: string;
  readonly #target: RequestOptions;

  constructor(options: HttpPeerOptions) {
    const url = new URL(options.url);
    const secure = url.protocol === 'https:';
    this.#options = options;
    const settings = { keepAlive: true, maxSockets: options.connections, maxFreeSockets: options.connections, scheduling: 'lifo' as const, noDelay: true };
    this.#agent = secure ? new HttpsAgent(settings) : new HttpAgent(settings);
    this.#send = secure ? httpsRequest : httpRequest;
    this.#base = url.pathname.replace(/\/+$/, '');
    this.#target = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (secure ? 443 : 80) : url.port,
      agent: this.#agent,
      ...(options.guardLookup ? { lookup: guardedLookup } : {}),
    };
  }

  /**
   * Tries again when no connection came about (nothing was sent), when a kept connection turned out closed before any answer, and once for a 503 with
   * Retry-After; the last two only for what may be seen twice. Throws `unavailable` (remote_unreachable, remote_timeout, cancelled), `internal` (remote_reply_too_large).
   */
  async call(call: HttpCall): Promise<HttpReply> {
    const { label } = this.#options;
    const started = performance.now();
    for (let attempt = 0; ; attempt++) {
      let wait: number | undefined;
      try {
        const reply = await this.#once(call, started);
        wait = reply.status === 503 && attempt === 0 && call.repeatable ? retryAfterMs(reply) : undefined;
        if (wait === undefined || performance.now() + wait >= call.deadline) return reply;
      } catch (error) {
        if (!(error instanceof PeerError)) throw error;
        wait = error.unsent ? (call.knownAway === true ? undefined : PAUSES_MS[attempt]) : error.stale && call.repeatable && attempt === 0 ? 0 : undefined;
        if (wait === undefined || performance.now() + wait >= call.deadline) throw away(label, error.message, error.cause);
      }
      await pause(wait, call.signal);
    }
  }

  #once(call: HttpCall, started: number): Promise<HttpReply> {
    const { label, maxReplyBytes, headers } = this.#options;
    const { signal } = call;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(cancelled());
      const length = call.body?.reduce((n, part) => n + part.length, 0);
      const request = this.#send({
        ...this.#target,
        method: call.method,
        path: this.#base + call.path,
        headers: { accept: 'application/json', ...headers(), ...call.headers, ...(length === undefined ? {} : { 'content-length': length }) },
      });
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
          request.destroy();
        });
      const onAbort = (): void => giveUp(cancelled());
      const timer = setTimeout(() => giveUp(timedOut(label, performance.now() - started)), Math.max(0, call.deadline - performance.now()));
      signal?.addEventListener('abort', onAbort, { once: true });
      request.on('error', (error) => settle(() => reject(new PeerError(error, request.reusedSocket))));
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          size += part.length;
          if (size > maxReplyBytes) return giveUp(tooLarge(label, maxReplyBytes));
          parts.push(part);
        });
        response.on('end', () =>
          settle(() =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts) }),
          ),
        );
        // The connection broke within the answer: the server had worked on it.
        response.on('error', (error) => settle(() => reject(new PeerError(error, false))));
        response.on('close', () => settle(() => reject(new PeerError(new Error('the connection broke within the answer'), false))));
      });
      for (const part of call.body ?? []) request.write(part);
      request.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function retryAfterMs({ headers }: HttpReply): number | undefined {
  const seconds = Number(headers['retry-after']);
  return headers['retry-after'] !== undefined && Number.isFinite(seconds) && seconds >= 0 && seconds * 1000 <= MAX_RETRY_AFTER_MS ? seconds * 1000 : undefined;
}

/** What a server says went wrong: a JSON body's `error` or `message`, else the body's own text. */
export function errorText({ body }: HttpReply): string {
  const text = body.toString('utf8', 0, 8192);
  try {
    const parsed = JSON.parse(body.length > 65536 ? '' : body.toString('utf8')) as Record<string, unknown>;
    for (const key of ['error', 'message', 'detail', 'errorMessage']) {
      const said = parsed?.[key];
      if (typeof said === 'string') return said;
      if (said !== undefined && said !== null) return JSON.stringify(said);
    }
  } catch {
    // An HTML page of a proxy, say.
  }
  // A tag holds no other's beginning: else a page of nothing but '<' would be read to its end from each of them.
  return text.replaceAll(/<[^<>]*>/g, ' ');
}

export const retryAfterOf = ({ headers }: HttpReply): number | undefined => {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) : undefined;
};
