import type { IncomingMessage, ServerResponse } from 'node:http';
import { releaseBuffer, unavailable, unsupported } from '../../kernel/index.ts';
import { giveSlab, takeSlab } from './body-pool.ts';
import { Intake } from './intake.ts';
import { MAX_IN_FLIGHT, Share } from './share.ts';
import { slowestMs, STALL_MS, watchStalls } from './stall-watch.ts';
import { bodyTooLarge, unpack } from './unpack.ts';

/** A request's body, whole. `release` gives its memory back to the pool; nothing may look at `bytes` (or a view of it) afterwards. */
export interface Body {
  bytes: Buffer;
  release(): void;
}

export interface BodyOptions {
  maxBytes: number;
  /** Bytes before the binary tensors: the body is placed so that what follows them lies on a 64-byte boundary of its buffer. */
  headerBytes?: number | undefined;
  /** Milliseconds without a byte after which the client is given up; 30 s by default. As a whole a body may take that and a second for each 64 KiB. */
  stallMs?: number;
  /** Bytes that all bodies may have in memory together; 1 GiB by default. */
  maxInFlight?: number;
}

const POOLED = 64 * 1024;
const ALIGNMENT = 64;

/** Reads a body of at most `maxBytes`, unpacked when it is gzip or deflate. Throws `invalid` (body_too_large …), `unsupported` (encoding) or `unavailable` (body_stalled). */
export function readBody(request: IncomingMessage, options: BodyOptions): Promise<Body> {
  const declared = request.headers['content-length'];
  const length = declared === undefined ? undefined : Number(declared);
  if (length !== undefined && length > options.maxBytes) return Promise.reject(bodyTooLarge(length, options.maxBytes));
  const share = new Share(options.maxInFlight ?? MAX_IN_FLIGHT);
  const encoding = request.headers['content-encoding']?.trim().toLowerCase();
  const plain = encoding === undefined || encoding === '' || encoding === 'identity';
  const body = plain ? collect(request, options, length, share) : readPacked(request, options, length, encoding, share);
  return body.then(
    ({ bytes, release }) => ({
      bytes,
      release() {
        release();
        share.give();
      },
    }),
    (error: unknown) => {
      share.give();
      throw error;
    },
  );
}

/**
 * Watches a body that someone else reads: after `stallMs` without a byte its reader is given `unavailable` (body_stalled), and the
 * connection closes with the answer. How long a body takes as a whole is not limited, since uploads may be large.
 */
export function watchBody(request: IncomingMessage, response: ServerResponse, stallMs = 2 * STALL_MS): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === '0')) return;
  request.setTimeout(stallMs, () => {
    response.shouldKeepAlive = false;
    if (request.listenerCount('error') > 0) request.emit('error', unavailable('body_stalled', 'The request body did not arrive in time.'));
    else request.destroy();
  });
  // From here on the client waits for us, for as long as it takes.
  request.once('end', () => request.socket.setTimeout(0));
}

async function readPacked(request: IncomingMessage, options: BodyOptions, length: number | undefined, encoding: string, share: Share): Promise<Body> {
  if (encoding !== 'gzip' && encoding !== 'deflate' && encoding !== 'x-gzip')
    throw unsupported(
      'unsupported_encoding',
      `Unsupported compression type: the content encoding '${encoding}' is not known here; send gzip, deflate or none.`,
    );
  const packed = await collect(request, options, length, share);
  try {
    return align(await unpack(packed.bytes, encoding, options.maxBytes, share), options);
  } finally {
    packed.release();
  }
}

/** Each part takes its share as it comes. */
function collect(request: IncomingMessage, options: BodyOptions, length: number | undefined, share: Share): Promise<Body> {
  const header = options.headerBytes;
  // Aligned and pooled when large or binary; small JSON goes as it came.
  // A small one is let in also when large ones, which may come slowly, have taken all.
  const pays = length !== undefined && length >= POOLED ? share : undefined;
  const intake = length !== undefined && (pays !== undefined || header !== undefined) ? new Intake(length, offsetFor(header), pays) : undefined;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let done = false;
    const entry = {
      last: Date.now(),
      stallMs: options.stallMs ?? STALL_MS,
      until: Date.now() + (options.stallMs ?? STALL_MS) + slowestMs(length ?? options.maxBytes),
      stalled: () => fail(unavailable('body_stalled', 'The request body did not arrive in time.')),
    };
    const leave = (): boolean => {
      if (done) return false;
      done = true;
      unwatch();
      return true;
    };
    const fail = (error: Error): void => {
      if (!leave()) return;
      intake?.drop();
      reject(error);
    };
    const unwatch = watchStalls(entry);
    request.on('data', (chunk: Buffer) => {
      if (done) return;
      entry.last = Date.now();
      if (size + chunk.length > options.maxBytes) return fail(bodyTooLarge(undefined, options.maxBytes));
      const full = length === undefined ? share.take(chunk.length) : intake?.add(chunk);
      if (full !== undefined) return fail(full);
      size += chunk.length;
      if (intake === undefined) chunks.push(chunk);
      else releaseBuffer(chunk);
    });
    request.on('end', () => {
      if (!leave()) return;
      if (intake !== undefined) resolve(intake.take());
      else if (chunks.length === 1 && header === undefined) resolve({ bytes: chunks[0] as Buffer, release() {} });
      else resolve(align(Buffer.concat(chunks), options));
    });
    // Every request closes; only one that is not whole is an error, and making one costs microseconds.
    const gone = (cause?: unknown): void => {
      if (!done) fail(unavailable('client_gone', 'The client went away before the request was whole.', { cause }));
    };
    request.on('error', gone);
    request.on('close', () => gone());
  });
}

const offsetFor = (header: number | undefined): number => (header === undefined ? 0 : (ALIGNMENT - (header % ALIGNMENT)) % ALIGNMENT);

function align(bytes: Buffer, options: BodyOptions): Body {
  if (options.headerBytes === undefined) return { bytes, release() {} };
  const slab = takeSlab(bytes.length + ALIGNMENT);
  const start = offsetFor(options.headerBytes);
  bytes.copy(slab, start);
  return { bytes: slab.subarray(start, start + bytes.length), release: () => giveSlab(slab) };
}
