import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const gzipAsync = promisify<Buffer, { level: number }, Buffer>(gzip);
/** Smaller ones are not worth a client's and our time. */
const PACKED = 64 * 1024;

/** A client that names gzip alone wants it; one that lists all it could read (browsers, requests) gets it for large answers only. */
function wantsGzip(request: IncomingMessage, length: number): boolean {
  const accepted = request.headers['accept-encoding'];
  if (accepted === undefined) return false;
  return accepted === 'gzip' || (length > PACKED && /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(String(accepted)));
}

/** Answers 200 with a JSON text, packed where the client wants that. Resolves once the answer has been handed to the socket. */
export function sendJsonText(request: IncomingMessage, response: ServerResponse, text: string, requestId: string): Promise<void> | undefined {
  if (!wantsGzip(request, text.length)) {
    response.writeHead(200, ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(text)), 'x-request-id', requestId]).end(text);
    return undefined;
  }
  return gzipAsync(Buffer.from(text), { level: 1 }).then((packed) => {
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip', 'content-length': packed.length, 'x-request-id': requestId })
      .end(packed);
  });
}
