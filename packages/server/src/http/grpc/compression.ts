import type { IncomingHttpHeaders } from 'node:http2';
import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';
import { unsupported } from '../../kernel/index.ts';
import { Share } from '../data-plane/share.ts';
import { unpack } from '../data-plane/unpack.ts';
import type { Message } from './framing.ts';

/** What a message may be packed with, as the header `grpc-accept-encoding` says it. */
export const ACCEPTED_ENCODINGS = 'identity,deflate,gzip';
export type Encoding = 'gzip' | 'deflate';
/** A reply smaller than this is not worth packing. */
const WORTH_PACKING = 1024;

/** The header `grpc-encoding` of a request; undefined: none. Throws `unsupported` for what is not known here. */
export function parseEncoding(header: string | string[] | undefined): Encoding | undefined {
  if (header === undefined || header === 'identity') return undefined;
  if (header === 'gzip' || header === 'deflate') return header;
  throw unsupported('unsupported_encoding', `The message encoding '${String(header).slice(0, 40)}' is not known here; use gzip, deflate or identity.`);
}

/** The message unpacked, of at most `maxBytes`; its bytes count among those of all bodies until it is released. */
export async function unpackMessage(message: Message, encoding: Encoding, maxBytes: number): Promise<Message> {
  try {
    const share = new Share();
    const bytes = await unpack(message.bytes, encoding, maxBytes, share);
    return { compressed: false, bytes, release: () => share.give() };
  } finally {
    message.release();
  }
}

const gzipAsync = promisify<Uint8Array, { level: number }, Buffer>(gzip);
const deflateAsync = promisify<Uint8Array, { level: number }, Buffer>(deflate);

/** A reply packed as the request was, when that gains and the client reads it; undefined when it goes as it is. */
export function packWorthwhile(message: Uint8Array | readonly Uint8Array[], encoding: Encoding, headers: IncomingHttpHeaders): Promise<Buffer> | undefined {
  const bytes = message instanceof Uint8Array ? message : Buffer.concat(message);
  if (bytes.length < WORTH_PACKING || !String(headers['grpc-accept-encoding'] ?? '').includes(encoding)) return undefined;
  return (encoding === 'gzip' ? gzipAsync : deflateAsync)(bytes, { level: 1 });
}
