import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify';
import type { Config } from '../config/index.ts';
import { BinnacleError, invalid, type Logger, notFound, unavailable } from '../kernel/index.ts';
import { type DataPlane, watchBody } from './data-plane/index.ts';
import { fromFastify, toAnyShape, toProblem } from './errors.ts';
import { createGuard, sameToken, TOKEN_COOKIE } from './guard.ts';
import { listen } from './listen.ts';
import { uiRoutes } from './ui.ts';

export interface HttpOptions {
  config: Config;
  logger: Logger;
  /** Hot protocols, asked in this order before the control plane. */
  dataPlanes: DataPlane[];
  /** Control-plane plugins by prefix. */
  plugins: { prefix: string; plugin: FastifyPluginAsync }[];
  /** The Prometheus text. */
  metrics: () => Promise<string>;
  /** Folder of the built web interface, when there is one. */
  uiDir: string | undefined;
  /** Milliseconds without a byte after which a body is given up; a minute by default. */
  stallMs?: number;
}

export interface HttpServer {
  listen(): Promise<{ host: string; port: number }>;
  /** Takes no new connections and refuses new requests on those it has (503), lets what runs finish for up to `drainMs`, then closes. */
  close(drainMs?: number): Promise<void>;
}

/** How long a caller without the right to may go on sending after it was told. */
const REFUSED_GRACE_MS = 1000;

const SWEEP_MS = 50;
const STOPPING = unavailable('stopping', 'The server is stopping. Try again in a moment, or elsewhere.', { retryAfterSeconds: 1 });

/** One port for every protocol: guard, then the data plane on bare node:http, then Fastify. */
export async function createHttpServer(options: HttpOptions): Promise<HttpServer> {
  const { config, logger } = options;
  const guard = createGuard({ host: config.host, token: config.token, allowedHosts: config.allowedHosts });
  let server: Server | undefined;
  let stopping = false;
  const app: FastifyInstance = Fastify({
    bodyLimit: config.limits.maxJsonBytes,
    routerOptions: { maxParamLength: 5000, ignoreTrailingSlash: false },
    logger: false,
    // The path itself is broken, so that no protocol's plugin was reached.
    frameworkErrors: (_error, _request, reply) =>
      answer(reply.raw, invalid('invalid_path', 'The path cannot be read: it holds a broken escape, or a part of it is too long.')),
    serverFactory: (fastify) => {
      server = createServer({ maxHeaderSize: 64 * 1024, requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 75_000 }, (request, response) => {
        const url = request.url ?? '/';
        const query = url.indexOf('?');
        const path = query === -1 ? url : url.slice(0, query);
        try {
          if (stopping) return refuse(request, response, STOPPING);
          const refusal = guard(request, path);
          // The interface's own files hold no data, and its page is where a browser gives the token.
          const open = isInterface(request.method, path);
          if (refusal !== undefined && !(open && refusal.code === 'unauthenticated')) return refuse(request, response, refusal);
          if (open && query !== -1 && signIn(response, path, url.slice(query + 1), config.token)) return undefined;
          for (const plane of options.dataPlanes) if (plane(request, response, path)) return undefined;
          watchBody(request, response, options.stallMs);
          return fastify(request, response);
        } catch (err) {
          // Nobody else catches here: it would end the process.
          logger.error({ err }, 'a request failed');
          if (!response.headersSent) answer(response, err);
          return undefined;
        }
      });
      return server;
    },
  });
  app.setNotFoundHandler((request, reply) => {
    const problem = toProblem(
      notFound(
        'no_such_route',
        `There is nothing at ${request.method} ${request.url.split('?')[0]}. The interface is at /ui/, the API at /api/binnacle/v1/openapi.json.`,
      ),
    );
    return reply.code(404).type('application/problem+json').send(JSON.stringify(problem));
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(fromFastify(error));
    if (problem.code === 'internal') logger.error({ err: error, url: request.url.split('?')[0] }, 'a request failed');
    return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  });
  app.get('/health', async (_request, reply) => reply.type('text/plain').send('OK'));
  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await options.metrics()));
  for (const { prefix, plugin } of options.plugins) await app.register(plugin, { prefix });
  // Browsers keep the fragment over a redirect, so MLflow's /#/experiments/E/runs/R links reach the interface's router.
  app.get('/', (_request, reply) => reply.redirect('/ui/', 302));
  app.get('/ui', (_request, reply) => reply.redirect('/ui/', 302));
  await app.register(uiRoutes(options.uiDir), { prefix: '/ui' });
  await app.ready();

  return {
    listen: () => listen(server as Server, { host: config.host, port: config.port, flag: '--port' }),
    async close(drainMs = 10_000) {
      const http = server as Server;
      stopping = true;
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      // A kept-alive connection is idle, and so closed, as soon as its last reply is out.
      const sweep = setInterval(() => http.closeIdleConnections(), SWEEP_MS);
      const timer = setTimeout(() => http.closeAllConnections(), drainMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(timer);
      await app.close();
    },
  };
}

const isInterface = (method: string | undefined, path: string): boolean =>
  (method === 'GET' || method === 'HEAD') && (path === '/' || path === '/ui' || path.startsWith('/ui/'));

/** `?token=` on a page of the interface: signs the browser in once by a cookie. The token does not stay in the address bar, the rest of the query does. */
function signIn(response: ServerResponse, path: string, query: string, token: string | undefined): boolean {
  const search = new URLSearchParams(query);
  const given = search.get('token');
  if (given === null || token === undefined || !sameToken(given, token)) return false;
  search.delete('token');
  const rest = search.toString();
  response
    .writeHead(302, {
      location: `${path === '/' ? '/ui/' : path}${rest === '' ? '' : `?${rest}`}`,
      'set-cookie': `${TOKEN_COOKIE}=${encodeURIComponent(given)}; HttpOnly; SameSite=Strict; Path=/`,
      'cache-control': 'no-store',
    })
    .end();
  return true;
}

function refuse(request: IncomingMessage, response: ServerResponse, refusal: unknown): void {
  // What it still sends is read for a moment, so that the answer reaches it, and then no more.
  response.shouldKeepAlive = false;
  request.resume();
  answer(response, refusal);
  response.once('finish', () => setTimeout(() => request.socket.destroy(), REFUSED_GRACE_MS).unref());
}

function answer(response: ServerResponse, error: unknown): void {
  const problem = toAnyShape(error);
  if (error instanceof BinnacleError && error.retryAfterSeconds !== undefined) response.setHeader('retry-after', Math.ceil(error.retryAfterSeconds));
  response
    .writeHead(problem.status, {
      'content-type': 'application/problem+json',
      ...(problem.status === 401 ? { 'www-authenticate': 'Bearer realm="binnacle"' } : {}),
    })
    .end(JSON.stringify(problem));
}
