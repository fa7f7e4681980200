import type { Bucket } from './client.ts';
import { CHECKSUMS } from './keys.ts';

/** The name under which an object carries the SHA-256 of its bytes, in hex. */
export const METADATA = 'sha256';

const sidecarKey = (bucket: Bucket, path: string): string => bucket.key(`${CHECKSUMS}/${path}`);

/**
 * The SHA-256 of objects that were written in parts: it is known only behind the last one, when an object's metadata can no longer be said. It lies in a small object
 * beside, and holds for one ETag only, so that one left behind says nothing of a later version.
 */
export async function rememberChecksum(bucket: Bucket, path: string, etag: string, sha256: string): Promise<void> {
  const { PutObjectCommand } = bucket.commands;
  await bucket.client.send(
    new PutObjectCommand({ Bucket: bucket.name, Key: sidecarKey(bucket, path), Body: `${sha256} ${etag}\n`, ContentType: 'text/plain' }),
  );
}

/** The SHA-256 of an object in hex; null when nobody has computed it. */
export async function checksumOf(
  bucket: Bucket,
  path: string,
  object: { Metadata?: Record<string, string> | undefined; ETag?: string | undefined },
): Promise<string | null> {
  const carried = object.Metadata?.[METADATA];
  if (carried !== undefined && /^[0-9a-f]{64}$/.test(carried)) return carried;
  try {
    const { GetObjectCommand } = bucket.commands;
    const { Body } = await bucket.client.send(new GetObjectCommand({ Bucket: bucket.name, Key: sidecarKey(bucket, path) }));
    const [sha256, etag] = ((await Body?.transformToString()) ?? '').trim().split(' ');
    return sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256) && etag === object.ETag ? sha256 : null;
  } catch {
    return null;
  }
}
