import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { directRoutes } from './direct.routes.ts';
import { type ArtifactService, type ExpectedChecksums, mediaTypeOf } from '../../artifacts/index.ts';
import { disposition, parseRange } from '../../http/index.ts';
import { BinnacleError, exhausted, invalid } from '../../kernel/index.ts';

export interface ArtifactRouteDeps {
  artifacts: ArtifactService;
  maxUploadBytes: number;
}

/** MLflow's artifact proxy, below `…/2.0/mlflow-artifacts`. Bodies stream both ways and are never held in memory. */
export function artifactRoutes({ artifacts, maxUploadBytes }: ArtifactRouteDeps): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    // The body stays a stream: whatever its type, well formed or not, it is a file's bytes.
    app.addHook('onRequest', async (request) => {
      if (request.method === 'PUT') request.raw.headers['content-type'] = 'application/octet-stream';
    });
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    app.route({ method: 'GET', url: '/artifacts', exposeHeadRoute: false, handler: (request) => listFolder(artifacts, queryText(request, 'path') ?? '') });
    app.route({ method: 'GET', url: '/artifacts/*', exposeHeadRoute: false, handler: (request, reply) => download(artifacts, request, reply) });
    app.route({ method: 'HEAD', url: '/artifacts/*', handler: (request, reply) => describe(artifacts, request, reply) });
    app.route({
      method: 'PUT',
      url: '/artifacts/*',
      handler: async (request, reply) => {
        const path = wildcard(request);
        const declared = Number(request.headers['content-length'] ?? 0);
        if (declared > maxUploadBytes)
          throw exhausted(
            'artifact_too_large',
            `${JSON.stringify(path)} has ${declared} bytes; this server takes uploads of up to ${maxUploadBytes}. Raise its upload limit or send less.`,
          );
        const { sha256 } = await upload(artifacts, path, request);
        return reply.header('repr-digest', reprDigest(sha256)).send({});
      },
    });
    app.route({
      method: 'DELETE',
      url: '/artifacts/*',
      handler: async (request) => {
        await artifacts.delete(wildcard(request));
        return {};
      },
    });
    await app.register(directRoutes(artifacts, maxUploadBytes));
  };
}

async function listFolder(artifacts: ArtifactService, path: string): Promise<object> {
  const entries = await artifacts.list(path);
  return {
    files: entries.map((entry) => ({
      path: entry.path.slice(entry.path.lastIndexOf('/') + 1),
      is_dir: entry.isDirectory,
      ...(entry.size === null ? {} : { file_size: entry.size }),
    })),
  };
}

async function download(artifacts: ArtifactService, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = wildcard(request);
  const header = request.headers.range;
  // No validators are sent, so an If-Range can never be known to hold.
  const wanted = header === undefined || request.headers['if-range'] !== undefined ? undefined : header;
  const range = wanted === undefined ? undefined : parseRange(wanted, (await artifacts.stat(path))?.size ?? 0);
  if (range === 'unsatisfiable') return rangeError(artifacts, path, reply);
  const { stream, size, sha256 } = await artifacts.open(path, range, { verify: true });
  fileHeaders(reply, path);
  if (range === undefined) {
    if (sha256 !== null) void reply.header('repr-digest', reprDigest(sha256));
    return reply.header('content-length', size).send(stream);
  }
  const end = Math.min(range.end, size - 1);
  return reply
    .code(206)
    .header('content-range', `bytes ${range.start}-${end}/${size}`)
    .header('content-length', end - range.start + 1)
    .send(stream);
}

async function describe(artifacts: ArtifactService, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = wildcard(request);
  const entry = await artifacts.stat(path);
  if (entry === undefined || entry.isDirectory) return reply.code(404).send();
  fileHeaders(reply, path);
  return reply.header('content-length', entry.size ?? 0).send();
}

async function rangeError(artifacts: ArtifactService, path: string, reply: FastifyReply): Promise<FastifyReply> {
  const size = (await artifacts.stat(path))?.size ?? 0;
  return reply
    .code(416)
    .header('content-range', `bytes */${size}`)
    .type('application/json')
    .send({ error_code: 'INVALID_PARAMETER_VALUE', message: `The range asked for is outside of ${JSON.stringify(path)}, which has ${size} bytes.` });
}

/** A file of someone's making: always an attachment, and sandboxed should a browser open it all the same. */
function fileHeaders(reply: FastifyReply, path: string): void {
  const type = mediaTypeOf(path) ?? 'application/octet-stream';
  void reply
    .header('content-type', type.startsWith('text/') ? `${type}; charset=utf-8` : type)
    .header('content-disposition', disposition(path))
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .header('cross-origin-resource-policy', 'same-origin')
    .header('accept-ranges', 'bytes');
}

const reprDigest = (sha256: string): string => `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;

/** What `Content-MD5`, `x-amz-checksum-sha256`, `Content-Digest` or `Repr-Digest` (RFC 9530) say of a body. Digests of other algorithms are not looked at. */
export function announcedChecksums(headers: FastifyRequest['headers']): ExpectedChecksums {
  const digest = (name: string, text: string | undefined, bytes: number): string | undefined => {
    if (text === undefined) return undefined;
    const raw = Buffer.from(text.trim(), 'base64');
    if (raw.length !== bytes || raw.toString('base64') !== text.trim())
      throw invalid('checksum_malformed', `The header ${name} must be a digest of ${bytes} bytes in base64, not ${JSON.stringify(text)}.`);
    return raw.toString('hex');
  };
  const one = (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const inField = (name: string): string | undefined => /(?:^|[,\s])sha-256=:([^:]*):/i.exec(one(name) ?? '')?.[1];
  return {
    md5: digest('Content-MD5', one('content-md5'), 16),
    sha256:
      digest('x-amz-checksum-sha256', one('x-amz-checksum-sha256'), 32) ??
      digest('Content-Digest', inField('content-digest'), 32) ??
      digest('Repr-Digest', inField('repr-digest'), 32),
  };
}

async function upload(artifacts: ArtifactService, path: string, request: FastifyRequest): Promise<{ sha256: string }> {
  const expect = announcedChecksums(request.headers);
  if (request.body === undefined || request.body === null) return artifacts.put(path, new Uint8Array(), { expect });
  try {
    // Leaving the loop early must not destroy the request: its error still has to be answered.
    return await artifacts.put(path, request.raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>, { expect });
  } catch (error) {
    // What is still on its way is read and dropped: a client that is busy sending would otherwise never see the answer.
    request.raw.resume();
    throw request.raw.readableAborted && !(error instanceof BinnacleError) ? brokenOff(error) : error;
  }
}

const brokenOff = (cause: unknown): BinnacleError =>
  invalid('upload_incomplete', 'The connection broke before the whole file had arrived; nothing was stored. Send it again.', { cause });

const wildcard = (request: FastifyRequest): string => (request.params as { '*': string })['*'];

function queryText(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, unknown>)[name];
  return Array.isArray(value) ? String(value[0]) : value === undefined ? undefined : String(value);
}
