import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { exhausted } from '../../kernel/index.ts';
import { METADATA, rememberChecksum } from './checksums.ts';
import type { Bucket } from './client.ts';

/** A body up to this size is one request; a longer one goes in parts of this size, or larger where the limit of 10,000 parts asks for it. */
const PART = 8 * 1024 * 1024;
const MAX_PARTS = 10_000;
/** Parts on their way at once: with the one that is filling, what an upload may hold in memory. */
const PARALLEL = 3;

type Body = Uint8Array | AsyncIterable<Uint8Array>;

/** Stores a body under its key, whole or not at all. What a body throws comes through as it is. */
export async function upload(bucket: Bucket, path: string, body: Body, maxBytes: number): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  let broken: { error: unknown } | undefined;
  async function* counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body instanceof Uint8Array ? [body] : body) {
        size += chunk.length;
        if (size > maxBytes)
          throw exhausted(
            'artifact_too_large',
            `${JSON.stringify(path)} is larger than the ${maxBytes} bytes that this server takes; nothing was stored. Raise the upload limit or send less.`,
            { details: { maxBytes } },
          );
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      broken = { error };
      throw error;
    }
  }
  const chunks = counted();
  const head: Uint8Array[] = [];
  let held = 0;
  let next = await chunks.next();
  while (next.done !== true) {
    head.push(next.value);
    held += next.value.length;
    if (held > PART) break;
    next = await chunks.next();
  }
  if (next.done === true) {
    const digest = hash.digest();
    const whole = head.length === 1 && head[0] !== undefined ? head[0] : Buffer.concat(head);
    const { PutObjectCommand } = bucket.commands;
    await bucket.client.send(
      new PutObjectCommand({
        Bucket: bucket.name,
        Key: bucket.key(path),
        Body: whole,
        ContentLength: size,
        ChecksumSHA256: digest.toString('base64'),
        Metadata: { [METADATA]: digest.toString('hex') },
      }),
    );
    return { size, sha256: digest.toString('hex') };
  }
  const { Upload } = await import('@aws-sdk/lib-storage');
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield* head.splice(0);
    yield* chunks;
  }
  try {
    const { ETag } = await new Upload({
      client: bucket.client,
      params: { Bucket: bucket.name, Key: bucket.key(path), Body: Readable.from(whole(), { objectMode: false }), ChecksumAlgorithm: 'SHA256' },
      partSize: Number.isFinite(maxBytes) ? Math.max(PART, Math.ceil(maxBytes / MAX_PARTS)) : PART,
      queueSize: PARALLEL,
    }).done();
    const sha256 = hash.digest('hex');
    // The file is stored whether this succeeds or not; without it, the first who reads all of it computes it.
    if (ETag !== undefined) await rememberChecksum(bucket, path, ETag, sha256).catch(() => {});
    return { size, sha256 };
  } catch (error) {
    throw broken === undefined ? error : broken.error;
  }
}
