import type { OperationId, OperationRequest, OperationResponse, Operations } from '@binnacle/contract';
import { BinnacleApiError, errorFromResponse } from './errors.ts';
import { routes } from './routes.ts';

/** The prefix of the native API; the contract's constant, repeated so that zod stays out of browsers. */
const PREFIX = '/api/binnacle/v1';

type Request_<I extends OperationId> = OperationRequest<Operations[I]>;
/** Parts that the operation declares (an undeclared one has the type unknown). */
type Declared<I extends OperationId> = { [K in keyof Request_<I> as unknown extends Request_<I>[K] ? never : K]: Request_<I>[K] };
type Required_<T> = { [K in keyof T as Record<never, never> extends T[K] ? never : K]: T[K] };
type Optional_<T> = { [K in keyof T as Record<never, never> extends T[K] ? K : never]?: T[K] };

/** What `call` takes for an operation: `params`, `query` and `body` as the contract declares them. */
export type CallInput<I extends OperationId> = Required_<Declared<I>> & Optional_<Declared<I>> & CallOptions;
export interface CallOptions {
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** The bytes of an operation that takes a raw body (`uploadVersion`). */
  rawBody?: BodyInit;
}
/** What `call` gives back. */
export type CallResult<I extends OperationId> = OperationResponse<Operations[I]>;
type Arguments<I extends OperationId> = Record<never, never> extends CallInput<I> ? [input?: CallInput<I>] : [input: CallInput<I>];

export interface ClientOptions {
  /** Where Binnacle listens, such as `http://127.0.0.1:8000`; a path behind it is kept. */
  baseUrl: string;
  /** Sent as `Authorization: Bearer …`; a function is asked before each request. */
  token?: string | (() => string | undefined);
  /** Another `fetch`, for tests or proxies. */
  fetch?: typeof globalThis.fetch;
}

/** A typed client of Binnacle's native API. */
export interface Client {
  /**
   * Calls an operation and returns its JSON reply.
   *
   * @example const run = await client.call('getRun', { params: { runId } });
   * @throws BinnacleApiError with the server's problem, or `status` 0 when there was no answer.
   */
  call<I extends OperationId>(id: I, ...args: Arguments<I>): Promise<CallResult<I>>;
  /** Calls an operation and returns the reply itself, for bytes and streams. Throws as `call` does. */
  raw<I extends OperationId>(id: I, ...args: Arguments<I>): Promise<Response>;
  /** The full URL of an operation, for links. */
  url<I extends OperationId>(id: I, ...args: Arguments<I>): string;
  /** A request to any other path of the same server (Open Inference, scoring), with the same errors. */
  request(path: string, init?: RequestInit): Promise<Response>;
}

interface LooseInput extends CallOptions {
  params?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
}

/** Makes a client; it holds no connection and needs no closing. */
export function createClient(options: ClientOptions): Client {
  const base = options.baseUrl.replace(/\/+$/, '');
  const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);

  const send = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    const token = typeof options.token === 'function' ? options.token() : options.token;
    if (token !== undefined && token !== '' && !headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers });
    } catch (cause) {
      if (init.signal?.aborted === true) throw cause;
      throw new BinnacleApiError(
        { status: 0, detail: `Binnacle does not answer at ${base}: ${cause instanceof Error ? cause.message : String(cause)}` },
        { cause },
      );
    }
    if (!response.ok) throw await errorFromResponse(response);
    return response;
  };

  const address = (id: OperationId, input: LooseInput): { method: string; url: string } => {
    const [method = 'GET', template = ''] = routes[id].split(' ', 2);
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = input.params?.[name];
      if (value === undefined || value === null || value === '') throw new TypeError(`${id} needs params.${name}`);
      // URL parsers resolve a segment of dots, escaped or not, and so would ask for another resource.
      if (value === '.' || value === '..') throw new TypeError(`${id}: ${value} cannot be the ${name} in a URL`);
      return encodeURIComponent(String(value));
    });
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(input.query ?? {})) {
      for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined && item !== null) query.append(key, String(item));
    }
    const search = query.toString();
    return { method, url: `${base}${PREFIX}${path}${search === '' ? '' : `?${search}`}` };
  };

  const raw = (id: OperationId, input: LooseInput = {}): Promise<Response> => {
    const { method, url } = address(id, input);
    const headers: Record<string, string> = { ...input.headers };
    const init: RequestInit = { method, headers };
    if (input.signal !== undefined) init.signal = input.signal;
    if (input.rawBody !== undefined) {
      headers['content-type'] ??= 'application/octet-stream';
      init.body = input.rawBody;
    } else if (input.body !== undefined) {
      headers['content-type'] ??= 'application/json';
      init.body = JSON.stringify(input.body);
    }
    return send(url, init);
  };

  const client = {
    raw,
    async call(id: OperationId, input: LooseInput = {}): Promise<unknown> {
      const response = await raw(id, input);
      const text = await response.text();
      if (text === '') return {};
      try {
        return JSON.parse(text) as unknown;
      } catch (cause) {
        throw new BinnacleApiError(
          { status: response.status, code: 'bad_reply', title: 'Unreadable reply', detail: `The reply to ${id} is not JSON: ${text.slice(0, 200)}` },
          { cause },
        );
      }
    },
    url: (id: OperationId, input: LooseInput = {}): string => address(id, input).url,
    request: (path: string, init: RequestInit = {}): Promise<Response> => send(`${base}${path}`, init),
  };
  return client as unknown as Client;
}
