import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { fromFastify } from '../../http/index.ts';
import { badTextOf, invalid, type Logger, mayHoldBadText, messageOf, notFound, shown, unsupported } from '../../kernel/index.ts';
import { toMlflowError } from './errors.ts';
import { Fields } from './fields.ts';
import type { MlflowRoute } from './routes.ts';

export interface MlflowOptions {
  logger: Logger;
  /** The endpoints of the rooms. */
  routes: MlflowRoute[];
  /** The artifact proxy, mounted at `…/2.0/mlflow-artifacts`; it streams bodies, so it reads requests itself. */
  artifacts?: FastifyPluginAsync;
  /** The MLflow version whose protocol is spoken, for `GET /version`. */
  version?: string;
}

/** The newest MLflow whose client was run against this server; it decides which calls newer clients make. */
export const SPOKEN_VERSION = '3.17.2';

/**
 * MLflow's REST protocol under `/api` and `/ajax-api`. Register it without a prefix. Every error below its prefixes, unknown endpoints
 * included, is JSON in MLflow's shape: its clients read anything else as a missing endpoint.
 */
export function mlflowRoutes(options: MlflowOptions): FastifyPluginAsync {
  return async (app) => {
    app.get('/version', (_request, reply) => reply.type('text/plain; charset=utf-8').send(options.version ?? SPOKEN_VERSION));
    await app.register(
      async (scope) => {
        handleErrors(scope, options.logger);
        // Spans come as protobuf; they are read and dropped.
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
        scope.post('/', async () => {
          throw unsupported('not_implemented', 'Traces are not implemented by this server.');
        });
      },
      { prefix: '/v1/traces' },
    );
    for (const base of ['/api', '/ajax-api']) {
      for (const version of ['2.0', '3.0'] as const) {
        await app.register(async (scope) => endpoints(scope, base, version, options), { prefix: `${base}/${version}/mlflow` });
        if (version === '2.0' && options.artifacts !== undefined) {
          const plugin = options.artifacts;
          await app.register(
            async (scope) => {
              handleErrors(scope, options.logger);
              await scope.register(plugin);
            },
            { prefix: `${base}/2.0/mlflow-artifacts` },
          );
        }
      }
    }
  };
}

function endpoints(scope: FastifyInstance, base: string, version: '2.0' | '3.0', { routes, logger }: MlflowOptions): void {
  handleErrors(scope, logger);
  // One parser for every content type: clients differ in the header, and DELETE with a JSON header and no body is common.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  for (const route of routes) {
    if ((route.version ?? '2.0') !== version || (route.ajaxOnly === true && base !== '/ajax-api')) continue;
    scope.route({
      method: route.method,
      url: `/${route.path}`,
      handler: async (request, reply) => {
        const result = await route.handler(readFields(request), request, reply);
        return reply.type('application/json').send(typeof result === 'string' ? result : JSON.stringify(result));
      },
    });
  }
}

function readFields(request: FastifyRequest): Fields {
  const params = request.params as Record<string, string>;
  const query = request.query as Record<string, unknown>;
  // GET carries its fields in the query; R and some proxies send them there for other methods, too.
  const body = parseBody(request.body);
  refuseBadText({ ...query, ...params });
  return new Fields({ ...query, ...body, ...params });
}

function refuseBadText(value: unknown): void {
  const bad = badTextOf(value);
  if (bad !== undefined) throw invalid('invalid_parameter', `Invalid value ${shown(bad.text)} for parameter '${bad.path}' supplied: ${bad.why}`);
}

/** A JSON object sent as a body; an empty one for none. */
export function parseBody(raw: unknown): Record<string, unknown> {
  if (typeof raw !== 'string' || raw.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(raw);
    // Old clients send the JSON text once more as a JSON string.
    if (typeof value === 'string') value = JSON.parse(value);
  } catch (cause) {
    throw invalid('bad_request', `The request body is not valid JSON (${messageOf(cause)}).`, { cause });
  }
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('bad_request', 'The request body must be a JSON object.');
  if (mayHoldBadText(raw)) refuseBadText(value);
  return value as Record<string, unknown>;
}

function handleErrors(scope: FastifyInstance, logger: Logger): void {
  scope.setErrorHandler((error, request, reply) => sendError(error, request, reply, logger));
  scope.setNotFoundHandler((request, reply) =>
    sendError(notFound('no_such_route', `There is no ${request.method} ${request.url.split('?')[0]} on this server.`), request, reply, logger),
  );
}

/** Answers with any error in MLflow's shape. */
export function sendError(raw: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): FastifyReply {
  const error = fromFastify(raw);
  const { status, body, retryAfterSeconds } = toMlflowError(error);
  if (status === 500) logger.error({ err: error, method: request.method, url: request.url }, 'an MLflow request failed');
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
  return reply.code(status).type('application/json').send(JSON.stringify(body));
}
