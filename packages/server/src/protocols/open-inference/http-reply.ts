import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';
import { notFound, releaseBuffer } from '../../kernel/index.ts';
import { encodeReply } from './reply.ts';
import type { InferenceReply } from './types.ts';

/** The size of the JSON before binary tensors. */
export const HEADER = 'inference-header-content-length';

/** True when the method is right; else 405 has been answered. HEAD goes wherever GET goes. */
export function only(method: 'GET' | 'POST' | 'GET, POST', request: IncomingMessage, response: ServerResponse): boolean {
  const asked = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
  if (method.split(', ').includes(asked)) return true;
  const body = JSON.stringify({ error: `Method Not Allowed: ${request.method} is not taken here; use ${method}` });
  response.writeHead(405, { allow: method, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
  return false;
}

export const noRoute = (path: string): Error => notFound('no_such_route', `Not Found: there is nothing at ${path}`);

export function sendJson(response: ServerResponse, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

/** What has been done and has nothing to tell. */
export function sendEmpty(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 0 }).end();
}

/** Triton answers 200 or 400 with nothing in it, the plain protocol with JSON: JSON with 200 pleases both. */
export function sendReady(response: ServerResponse, ready: boolean, body: object, why: string): void {
  if (ready) return sendJson(response, body);
  const text = why === '' ? '' : JSON.stringify({ error: why });
  response.writeHead(400, { ...(why === '' ? {} : { 'content-type': 'application/json' }), 'content-length': Buffer.byteLength(text) }).end(text);
}

export function sendReply(request: IncomingMessage, response: ServerResponse, reply: InferenceReply): Promise<void> | undefined {
  const { json, binary } = encodeReply(reply);
  const encoding = replyEncoding(request, json, binary.length > 0);
  if (encoding !== undefined) return sendPacked(response, reply.id, partsOf(json), binary, encoding);
  if (binary.length === 0 && typeof json === 'string') {
    response.writeHead(200, ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(json)), 'x-request-id', reply.id]).end(json);
    return undefined;
  }
  const head = partsOf(json);
  const headBytes = sizeOf(head);
  response.writeHead(200, {
    'content-type': binary.length === 0 ? 'application/json' : 'application/octet-stream',
    'content-length': headBytes + sizeOf(binary),
    ...(binary.length === 0 ? {} : { [HEADER]: headBytes }),
    'x-request-id': reply.id,
  });
  response.cork();
  for (const part of head) response.write(part);
  for (const part of binary) response.write(part);
  response.end();
  response.uncork();
  // Texts of tensors are in memory of their own. The outputs own theirs: nothing here needs the request's body any more.
  if (typeof json !== 'string') response.once('finish', () => head.forEach(releaseBuffer));
  return undefined;
}

const partsOf = (json: string | Buffer[]): Buffer[] => (typeof json === 'string' ? [Buffer.from(json)] : json);
const sizeOf = (parts: readonly Buffer[]): number => parts.reduce((size, part) => size + part.length, 0);

/** A client that names one encoding wants it (tritonclient); one that lists all it could read (browsers, requests) gets it for large JSON only. */
function replyEncoding(request: IncomingMessage, json: string | Buffer[], hasBinary: boolean): 'gzip' | 'deflate' | undefined {
  const accepted = request.headers['accept-encoding'];
  if (accepted === undefined) return undefined;
  if (accepted === 'gzip' || accepted === 'deflate') return accepted;
  const large = typeof json !== 'string' || json.length > 64 * 1024;
  return !hasBinary && large && /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accepted) ? 'gzip' : undefined;
}

const gzipAsync = promisify<Buffer, { level: number }, Buffer>(gzip);
const deflateAsync = promisify<Buffer, { level: number }, Buffer>(deflate);

async function sendPacked(response: ServerResponse, id: string, json: Buffer[], binary: Buffer[], encoding: 'gzip' | 'deflate'): Promise<void> {
  const packed = await (encoding === 'gzip' ? gzipAsync : deflateAsync)(Buffer.concat([...json, ...binary]), { level: 1 });
  const head: Record<string, string | number> = {
    'content-type': binary.length === 0 ? 'application/json' : 'application/octet-stream',
    'content-encoding': encoding,
    'content-length': packed.length,
    'x-request-id': id,
  };
  if (binary.length > 0) head[HEADER] = sizeOf(json);
  response.writeHead(200, head).end(packed);
}
