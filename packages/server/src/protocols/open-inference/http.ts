import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';
import { type Body, type DataPlane, readBody } from '../../http/data-plane/index.ts';
import { BinnacleError, invalid, type Logger, notFound } from '../../kernel/index.ts';
import { parseEventTime, parseRequestId, type ServingService } from '../../serving/index.ts';
import { createCore, type InferenceReply, type OpenInferenceCore } from './core.ts';
import { sendError } from './errors.ts';
import { encodeReply } from './reply.ts';
import { type InferenceRequest, parseInferenceRequest } from './request.ts';

export interface OpenInferenceOptions {
  serving: ServingService;
  logger: Logger;
  /** The server's version, for its metadata. */
  version: string;
  /** Largest body, packed and unpacked. */
  maxBodyBytes: number;
  /** Milliseconds that a body may stall. */
  stallMs?: number;
}

/** Open Inference v2 over REST (https://github.com/kserve/open-inference-protocol), with Triton's binary tensors, statuses and texts. */
export function openInference(options: OpenInferenceOptions): DataPlane {
  const core = createCore(options);
  return (request, response, path) => {
    if (path !== '/v2' && !path.startsWith('/v2/')) return false;
    try {
      route(core, options, request, response, path);
    } catch (error) {
      report(options.logger, error, path);
      sendError(response, error);
    }
    return true;
  };
}

function report(logger: Logger, error: unknown, path: string): void {
  if (!(error instanceof BinnacleError) || error.kind === 'internal') logger.error({ err: error, path }, 'an inference request failed');
}

/** A path's part, decoded. */
function decode(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw invalid('invalid_path', `the path holds a broken escape in '${part}'`, { cause });
  }
}

function parseVersion(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw invalid('invalid_version', `failed to get model version from specified version string '${text}', version should be an integral value > 0`);
}

function route(core: OpenInferenceCore, options: OpenInferenceOptions, request: IncomingMessage, response: ServerResponse, path: string): void {
  const parts = path
    .split('/')
    .slice(2)
    .filter((part, i, all) => part !== '' || i < all.length - 1);
  if (parts.length === 0) return only('GET', request, response) && sendJson(response, core.serverMetadata());
  if (parts[0] === 'health' && parts.length === 2) {
    if (parts[1] === 'live') return only('GET', request, response) && sendJson(response, { live: true });
    if (parts[1] === 'ready') return only('GET', request, response) && sendReady(response, core.ready(), { ready: true });
  }
  if (parts[0] === 'models' && parts[1] !== undefined && parts[1] !== '') {
    const name = decode(parts[1]);
    const pinned = parts[2] === 'versions' && parts.length >= 4;
    const version = pinned ? parseVersion(decode(parts[3] ?? '')) : undefined;
    const rest = parts.slice(pinned ? 4 : 2);
    if (rest.length === 0) return only('GET', request, response) && sendJson(response, core.modelMetadata(name, version));
    if (rest.length === 1 && rest[0] === 'ready')
      return only('GET', request, response) && sendReady(response, core.modelReady(name, version), { name, ready: true });
    if (rest.length === 1 && rest[0] === 'infer') {
      if (only('POST', request, response)) void infer(core, options, request, response, name, version);
      return;
    }
  }
  throw notFound(
    'no_such_route',
    `there is nothing at ${path}; this server speaks /v2, /v2/health/{live,ready} and /v2/models/{name}[/versions/{n}][/ready|/infer]`,
  );
}

function only(method: 'GET' | 'POST', request: IncomingMessage, response: ServerResponse): void | true {
  if (request.method === method || (method === 'GET' && request.method === 'HEAD')) return true;
  const body = JSON.stringify({ error: `${request.method} is not allowed here; use ${method}` });
  response.writeHead(405, { allow: method, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
}

function sendJson(response: ServerResponse, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

/** Triton answers 200 or 400 with nothing in it, the plain protocol with JSON: JSON with 200 pleases both. */
function sendReady(response: ServerResponse, ready: boolean, body: object): void {
  if (ready) sendJson(response, body);
  else response.writeHead(400, { 'content-length': 0 }).end();
}

const HEADER = 'inference-header-content-length';

function headerBytesOf(request: IncomingMessage): number | undefined {
  const value = request.headers[HEADER];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^\d{1,10}$/.test(value))
    throw invalid('invalid_header', `Unable to parse Inference-Header-Content-Length: ${JSON.stringify(value)} is not a number of bytes`);
  return Number(value);
}

async function infer(
  core: OpenInferenceCore,
  options: OpenInferenceOptions,
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  version: number | undefined,
): Promise<void> {
  const receivedAt = Date.now();
  const startedAt = performance.now();
  let body: Body | undefined;
  let requestId: string | undefined;
  let asked = false;
  try {
    requestId = parseRequestId(request.headers['x-request-id']);
    const headerBytes = headerBytesOf(request);
    const eventTime = parseEventTime(request.headers['x-binnacle-event-time'] as string | undefined);
    body = await readBody(request, { maxBytes: options.maxBodyBytes, headerBytes, ...(options.stallMs === undefined ? {} : { stallMs: options.stallMs }) });
    const parsed = parseInferenceRequest(body.bytes, headerBytes);
    requestId = parsed.id ?? requestId;
    asked = true;
    const reply = await core.infer(name, version, parsed, { requestId, eventTime, receivedAt, startedAt });
    await sendReply(request, response, reply, parsed);
    const after = reply.finish();
    if (after !== undefined) await after;
  } catch (error) {
    report(options.logger, error, request.url ?? '');
    if (!asked) core.refused(name, { receivedAt, startedAt }, error);
    sendError(response, error, requestId);
  } finally {
    body?.release();
  }
}

function sendReply(request: IncomingMessage, response: ServerResponse, reply: InferenceReply, parsed: InferenceRequest): Promise<void> | undefined {
  const { json, binary } = encodeReply(reply.model, reply.version, reply.id, reply.outputs, parsed);
  const encoding = replyEncoding(request, json.length, binary.length > 0);
  if (encoding !== undefined) return sendPacked(response, reply.id, json, binary, encoding);
  if (binary.length === 0) {
    response.writeHead(200, ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(json)), 'x-request-id', reply.id]).end(json);
    return undefined;
  }
  const header = Buffer.from(json);
  const size = binary.reduce((n, part) => n + part.length, header.length);
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size, [HEADER]: header.length, 'x-request-id': reply.id });
  response.cork();
  response.write(header);
  for (const part of binary) response.write(part);
  response.end();
  response.uncork();
  // The outputs own their memory: nothing here needs the request's body any more.
  return undefined;
}

/** A client that names one encoding wants it (tritonclient); one that lists all it could read (browsers, requests) gets it for large JSON only. */
function replyEncoding(request: IncomingMessage, jsonLength: number, hasBinary: boolean): 'gzip' | 'deflate' | undefined {
  const accepted = request.headers['accept-encoding'];
  if (accepted === undefined) return undefined;
  if (accepted === 'gzip' || accepted === 'deflate') return accepted;
  return !hasBinary && jsonLength > 64 * 1024 && /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accepted) ? 'gzip' : undefined;
}

const gzipAsync = promisify<Buffer, { level: number }, Buffer>(gzip);
const deflateAsync = promisify<Buffer, { level: number }, Buffer>(deflate);

async function sendPacked(response: ServerResponse, id: string, json: string, binary: Buffer[], encoding: 'gzip' | 'deflate'): Promise<void> {
  const header = Buffer.from(json);
  const whole = binary.length === 0 ? header : Buffer.concat([header, ...binary]);
  const packed = await (encoding === 'gzip' ? gzipAsync : deflateAsync)(whole, { level: 1 });
  const head: Record<string, string | number> = {
    'content-type': binary.length === 0 ? 'application/json' : 'application/octet-stream',
    'content-encoding': encoding,
    'content-length': packed.length,
    'x-request-id': id,
  };
  if (binary.length > 0) head[HEADER] = header.length;
  response.writeHead(200, head).end(packed);
}
