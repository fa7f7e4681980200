import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import { type BinnacleError, invalid } from '../../kernel/index.ts';
import type { Share } from './share.ts';

/** Bodies unpacked at the same time: until one is whole its size is unknown, and it has no share of the memory for all. */
export const UNPACKING = 8;

export const bodyTooLarge = (size: number | undefined, maxBytes: number): BinnacleError =>
  invalid(
    'body_too_large',
    `Request body size${size === undefined ? '' : ` of ${size} bytes`} exceeds the maximum allowed value of ${maxBytes} bytes. Send smaller batches, or raise maxBodyBytes (BINNACLE_MAX_BODY_BYTES).`,
    { details: { maxBytes } },
  );

/** So many at a time, the others in the order in which they came. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

const turns = new Turns(UNPACKING);

const gunzipAsync = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);
const inflateAsync = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate);
const inflateRawAsync = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflateRaw);

/**
 * The limit holds for the unpacked size too, so that a small bomb stays small, and few are unpacked at a time, so that many stay small
 * together. What is unpacked takes its share before the next one's turn. Throws `invalid`, and `exhausted` (bodies_full) without room.
 */
export function unpack(packed: Buffer, encoding: string, maxBytes: number, share: Share): Promise<Buffer> {
  return turns.run(async () => {
    const bytes = await unpacked(packed, encoding, maxBytes);
    const full = share.take(bytes.length);
    if (full !== undefined) throw full;
    return bytes;
  });
}

async function unpacked(bytes: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const limit = { maxOutputLength: maxBytes };
  try {
    if (encoding !== 'deflate') return await gunzipAsync(bytes, limit);
    // Some clients call the bare format deflate; zlib's begins with 0x?8.
    return await (((bytes[0] ?? 0) & 0x0f) === 8 ? inflateAsync(bytes, limit) : inflateRawAsync(bytes, limit));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw bodyTooLarge(undefined, maxBytes);
    throw invalid('bad_encoding', `The body is not valid ${encoding}: ${(cause as Error).message}`, { cause });
  }
}
