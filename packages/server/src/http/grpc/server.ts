import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { type BinnacleError, type Logger, unsupported } from '../../kernel/index.ts';
import { createGuard } from '../guard.ts';
import { listen } from '../listen.ts';
import { STALL_MS } from '../data-plane/stall-watch.ts';
import { Exchange } from './exchange.ts';
import type { GrpcMethod, GrpcService } from './method.ts';
import { type AcceptedBy, checkCall } from './guarded.ts';
import { ReadBuffers } from './read-buffers.ts';

export interface GrpcServerOptions {
  host: string;
  port: number;
  /** Required of every call but probes, as `authorization: Bearer …`; undefined: none is. */
  token: string | undefined;
  allowedHosts: string[];
  services: GrpcService[];
  /** Largest message, bytes. */
  maxMessageBytes: number;
  logger: Logger;
  /** Milliseconds without a byte, either way, after which a call is given up; 30 s by default. */
  stallMs?: number;
  /** Milliseconds between two pings of a connection; one that did not answer the last is closed. 30 s by default. */
  keepaliveMs?: number;
  /** Calls of one connection at the same time; the client keeps the others back. 1024 by default. */
  maxConcurrentCalls?: number;
}

export interface GrpcServer {
  /** Throws `unavailable` (port_in_use …), naming --grpc-port. */
  listen(): Promise<{ host: string; port: number }>;
  /** Takes no new calls, lets what runs finish for up to `drainMs`, then closes. */
  close(drainMs?: number): Promise<void>;
}

const KEEPALIVE_MS = 30_000;
/** Bytes that a client may send ahead: of a call, of a connection. Large tensors would wait for a round trip every 64 KiB otherwise. */
const CALL_WINDOW = 4 * 2 ** 20;
const CONNECTION_WINDOW = 32 * 2 ** 20;
const MAX_FRAME = 2 ** 20;
/** MB of a connection's replies that wait for the client before it gets no further calls. */
const SESSION_MEMORY = 256;

interface SessionState extends AcceptedBy {
  pinged: boolean;
  buffers: ReadBuffers;
}

/** gRPC over bare node:http2; knows services by their tables only. */
export async function createGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { createServer } = await import('node:http2');
  const { logger } = options;
  const guard = createGuard(options);
  const services = new Map(options.services.map((service) => [service.name, service]));
  const methods = new Map<string, GrpcMethod>();
  const loading = new Map<string, Promise<void>>();
  const sessions = new Map<ServerHttp2Session, SessionState>();
  const open = new Set<Exchange>();
  const exchangeOptions = { logger, maxMessageBytes: options.maxMessageBytes, stallMs: options.stallMs ?? STALL_MS };

  function load(service: GrpcService): Promise<void> {
    let promise = loading.get(service.name);
    if (promise === undefined) {
      promise = service.load().then((table) => {
        for (const [name, method] of Object.entries(table)) methods.set(`/${service.name}/${name}`, method);
      });
      loading.set(service.name, promise);
      promise.catch(() => loading.delete(service.name));
    }
    return promise;
  }

  function accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    if (!isGrpc(headers)) {
      stream.on('error', () => {});
      stream.respond({ ':status': 415, 'content-type': 'text/plain' });
      stream.end('this port speaks gRPC only; HTTP is on --port\n');
      return;
    }
    const state = sessions.get(stream.session as ServerHttp2Session);
    if (state === undefined) {
      stream.destroy();
      return;
    }
    const exchange = new Exchange(stream, headers, exchangeOptions, state.buffers);
    open.add(exchange);
    stream.once('close', () => open.delete(exchange));
    const method = methods.get(exchange.path);
    if (method !== undefined) return start(exchange, method, state);
    const service = services.get(exchange.path.slice(1, exchange.path.lastIndexOf('/')));
    if (service === undefined || loading.get(service.name) === LOADED) return exchange.fail(unknown(exchange.path));
    // What comes of the call meanwhile waits.
    const flows = state.buffers.keep();
    load(service).then(
      () => {
        loading.set(service.name, LOADED);
        const found = methods.get(exchange.path);
        if (found === undefined) exchange.fail(unknown(exchange.path));
        else start(exchange, found, state);
        flows();
      },
      (error: unknown) => {
        exchange.fail(error);
        flows();
      },
    );
  }

  function start(exchange: Exchange, method: GrpcMethod, state: SessionState): void {
    const refusal = checkCall(guard, exchange, method.open === true, state);
    if (refusal === undefined) exchange.run(method);
    else exchange.fail(refusal);
  }

  const server: Http2Server = createServer({
    settings: {
      initialWindowSize: CALL_WINDOW,
      maxFrameSize: MAX_FRAME,
      maxConcurrentStreams: options.maxConcurrentCalls ?? 1024,
      maxHeaderListSize: 64 * 1024,
    },
    maxSessionMemory: SESSION_MEMORY,
  });
  server.on('connection', (socket) => socket.setNoDelay(true));
  server.on('session', (session) => {
    sessions.set(session, { pinged: false, accepted: undefined, buffers: new ReadBuffers() });
    session.setLocalWindowSize(CONNECTION_WINDOW);
    session.once('close', () => sessions.delete(session));
  });
  // A client that speaks something else, or went away in the middle: its connection is closed by then.
  server.on('sessionError', (err) => logger.debug({ err }, 'a gRPC connection broke'));
  server.on('stream', (stream, headers) => {
    try {
      accept(stream, headers);
    } catch (err) {
      // Nobody else catches here: it would end the process.
      logger.error({ err }, 'a gRPC call failed');
      stream.destroy();
    }
  });
  const keepalive = setInterval(() => ping(sessions), options.keepaliveMs ?? KEEPALIVE_MS).unref();

  return {
    async listen() {
      const address = await listen(server, { host: options.host, port: options.port, flag: '--grpc-port' });
      server.on('error', (err) => logger.error({ err }, 'the gRPC port failed'));
      return address;
    },
    async close(drainMs = 10_000) {
      clearInterval(keepalive);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // GOAWAY: what runs may finish, nothing new begins.
      for (const session of sessions.keys()) session.close();
      for (const exchange of open) exchange.drain();
      const timer = setTimeout(() => {
        for (const session of sessions.keys()) session.destroy();
      }, drainMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Stands for what has been loaded. */
const LOADED = Promise.resolve();

const unknown = (path: string): BinnacleError => unsupported('unknown_method', `unknown method ${path.slice(0, 200)}: this server does not have it`);

function isGrpc(headers: IncomingHttpHeaders): boolean {
  const type = headers['content-type'];
  return headers[':method'] === 'POST' && type !== undefined && /^application\/grpc(\+proto)?\s*(;|$)/i.test(type);
}

/** A peer that vanished without a word keeps no connection. */
function ping(sessions: Map<ServerHttp2Session, SessionState>): void {
  for (const [session, state] of sessions) {
    if (state.pinged) {
      session.destroy();
      continue;
    }
    state.pinged = true;
    const sent = session.ping((error) => {
      if (error === null) state.pinged = false;
    });
    if (!sent) session.destroy();
  }
}
