import { Readable } from 'node:stream';
import { API_PREFIX, type Operation, type OperationId, operations } from '@binnacle/contract';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { badTextOf, BinnacleError, invalid, type Logger, looseNumbers, mayHoldBadText, notFound } from '../kernel/index.ts';
import { fromFastify, toProblem } from './errors.ts';
import { type Handlers, RawReply } from './handlers.ts';
import { openApiDocument } from './openapi.ts';

export type NativeHandlers = Handlers<typeof operations>;
type AnyHandler = (
  input: { params: unknown; query: unknown; body: unknown },
  context: { request: FastifyRequest['raw']; body: Readable; signal: AbortSignal },
) => Promise<unknown>;

/** The native API: each operation of the contract is validated with the contract's own schemas and handed to its room's handler. */
export function nativeRoutes(handlers: Partial<NativeHandlers>, options: { version: string; logger: Logger }): FastifyPluginAsync {
  return async (app) => {
    // Raw uploads are streamed by the handler; nothing but JSON is ever buffered here.
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    const parseJson = app.getDefaultJsonParser('error', 'error');
    app.removeContentTypeParser('application/json');
    app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) =>
      parseJson(request, body, (error, value) => done(error ?? (mayHoldBadText(body) ? badText(value, 'body') : null), value)),
    );
    app.setErrorHandler((error, request, reply) => sendError(reply, error, request, options.logger));
    app.setNotFoundHandler((request, reply) =>
      sendError(
        reply,
        notFound('no_such_route', `There is no ${request.method} ${request.url.split('?')[0]} in this API; see ${API_PREFIX}/openapi.json.`),
        request,
        options.logger,
      ),
    );
    let document: unknown;
    app.get('/openapi.json', async () => (document ??= openApiDocument(options.version)));
    for (const [id, op] of Object.entries(operations) as [OperationId, Operation][]) {
      const handler = handlers[id] as AnyHandler | undefined;
      if (handler === undefined) continue;
      app.route({
        method: op.method,
        url: op.path.replace(/\{(\w+)\}/g, ':$1'),
        ...(op.maxBody === undefined ? {} : { bodyLimit: op.maxBody }),
        handler: (request, reply) => run(op, handler, request, reply),
      });
    }
  };
}

async function run(op: Operation, handler: AnyHandler, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const input = {
    params: check(op.params, kept(request.params, 'path'), 'path'),
    query: check(op.query, kept(request.query, 'query'), 'query'),
    body: op.rawBody === true ? undefined : check(op.body, request.body ?? undefined, 'body'),
  };
  const gone = new AbortController();
  request.raw.once('close', () => request.raw.readableAborted && gone.abort());
  const body = request.body instanceof Readable ? request.body : request.raw;
  const result = await handler(input, { request: request.raw, body, signal: gone.signal });
  if (result instanceof RawReply) return reply.code(result.status).headers(result.headers).send(result.body);
  return reply.header('cache-control', 'no-store').type('application/json').send(JSON.stringify(result, looseNumbers));
}

/** Refuses what not every store can keep. */
function badText(value: unknown, place: 'path' | 'query' | 'body'): BinnacleError | null {
  const bad = badTextOf(value);
  if (bad === undefined) return null;
  const issues = [{ path: bad.path, message: bad.why }];
  return invalid(`invalid_${place}`, `The request's ${place} is not valid: ${bad.path}: ${bad.why}`, { details: { issues } });
}

function kept(value: unknown, place: 'path' | 'query'): unknown {
  const error = badText(value, place);
  if (error !== null) throw error;
  return value;
}

function check(schema: z.ZodType | undefined, value: unknown, place: 'path' | 'query' | 'body'): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 20).map((issue) => ({ path: issue.path.join('.'), message: issue.message.slice(0, 500) }));
  const where = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  if (place === 'body' && value === undefined) throw invalid('invalid_body', 'The request has no JSON body; send one with Content-Type: application/json.');
  throw invalid(`invalid_${place}`, `The request's ${place} is not valid: ${where}.`, { details: { issues } });
}

function sendError(reply: FastifyReply, raw: unknown, request: FastifyRequest, logger: Logger): FastifyReply {
  const error = fromFastify(raw);
  const problem = toProblem(error);
  if (problem.status >= 500 && problem.code === 'internal') logger.error({ err: error, method: request.method, url: request.url }, 'a request failed');
  if (error instanceof BinnacleError && error.retryAfterSeconds !== undefined) void reply.header('retry-after', String(error.retryAfterSeconds));
  if (problem.code === 'unauthenticated') void reply.header('www-authenticate', 'Bearer realm="binnacle", Basic realm="binnacle"');
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}
