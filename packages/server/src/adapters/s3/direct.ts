import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { DirectTransfers, TransferLink } from '../../artifacts/index.ts';
import { exhausted, invalid } from '../../kernel/index.ts';
import { rememberChecksum } from './checksums.ts';
import type { Bucket } from './client.ts';
import { statusOf } from './errors.ts';

/** Long enough for a large file on a slow line. */
const PART_LINK_SECONDS = 6 * 3600;
const MAX_PARTS = 10_000;

export interface DirectOptions {
  /** Throws when a file may not be put at a path, and maps errors. */
  guard<T>(path: string, work: () => Promise<T>): Promise<T>;
  refuseClash(path: string): Promise<void>;
  /** Ends work in the background. */
  signal: AbortSignal;
}

/**
 * Links by which clients reach the bucket without this server between. What is uploaded so is read once in the background afterwards, for its SHA-256; parts are held
 * against their MD5 by the store itself.
 */
export function directTransfers(bucket: Bucket, { guard, refuseClash, signal }: DirectOptions): DirectTransfers {
  const { client, commands, name: Bucket } = bucket;
  let background = Promise.resolve();
  const at = (path: string) => ({ Bucket, Key: bucket.key(path) });

  async function sign(command: object, expiresIn: number): Promise<TransferLink> {
    const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
    return { url: await getSignedUrl(client, command as never, { expiresIn }), headers: {} };
  }

  function computeChecksum(path: string, etag: string): void {
    const work = async () => {
      const { Body } = await client.send(new commands.GetObjectCommand({ ...at(path), IfMatch: etag }), { abortSignal: signal });
      const hash = createHash('sha256');
      for await (const chunk of Body as AsyncIterable<Uint8Array>) {
        if (signal.aborted) return;
        hash.update(chunk);
      }
      await rememberChecksum(bucket, path, etag, hash.digest('hex'));
    };
    // One at a time. What fails is made up for when the file is first copied.
    background = background.then(() => (signal.aborted ? undefined : work())).catch(() => {});
  }

  /** Bytes of the parts that have arrived. */
  async function arrived(path: string, UploadId: string): Promise<number> {
    let size = 0;
    let PartNumberMarker: string | undefined;
    do {
      const page = await client.send(new commands.ListPartsCommand({ ...at(path), UploadId, PartNumberMarker }));
      for (const part of page.Parts ?? []) size += part.Size ?? 0;
      PartNumberMarker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    } while (PartNumberMarker !== undefined);
    return size;
  }

  const abort = (path: string, UploadId: string) => client.send(new commands.AbortMultipartUploadCommand({ ...at(path), UploadId }));

  return {
    presignDownload: (path, { expiresSeconds, disposition }) =>
      guard(path, async () => {
        const { ContentLength = 0 } = await client.send(new commands.HeadObjectCommand(at(path)));
        const link = await sign(new commands.GetObjectCommand({ ...at(path), ResponseContentDisposition: disposition }), expiresSeconds);
        return { ...link, size: ContentLength };
      }),
    presignUpload: (path, { expiresSeconds }) =>
      guard(path, async () => {
        await refuseClash(path);
        return sign(new commands.PutObjectCommand(at(path)), expiresSeconds);
      }),
    createMultipart: (path, parts) =>
      guard(path, async () => {
        if (!Number.isInteger(parts) || parts < 1 || parts > MAX_PARTS)
          throw invalid('multipart_parts_invalid', `A multipart upload has 1 to ${MAX_PARTS} parts, not ${parts}. Send larger parts.`);
        await refuseClash(path);
        const { UploadId = '' } = await client.send(new commands.CreateMultipartUploadCommand(at(path)));
        const links: TransferLink[] = [];
        for (let PartNumber = 1; PartNumber <= parts; PartNumber++) {
          links.push(await sign(new commands.UploadPartCommand({ ...at(path), UploadId, PartNumber }), PART_LINK_SECONDS));
          if (PartNumber % 50 === 0) await turn();
        }
        return { uploadId: UploadId, links };
      }),
    completeMultipart: (path, UploadId, parts, { maxBytes }) =>
      guard(path, async () => {
        const sorted = parts.toSorted((a, b) => a.number - b.number);
        try {
          const size = await arrived(path, UploadId);
          if (size > maxBytes) {
            await abort(path, UploadId);
            throw exhausted(
              'artifact_too_large',
              `${JSON.stringify(path)} has ${size} bytes; this server takes uploads of up to ${maxBytes}. Nothing was stored. Raise the upload limit or send less.`,
              { details: { maxBytes } },
            );
          }
          const { ETag = '' } = await client.send(
            new commands.CompleteMultipartUploadCommand({
              ...at(path),
              UploadId,
              MultipartUpload: { Parts: sorted.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
            }),
          );
          computeChecksum(path, ETag);
        } catch (error) {
          // Sent again after an answer that got lost: it is done when the file there is of these parts.
          if (statusOf(error) !== 404 || (await etagOf(path)) !== etagOfParts(sorted.map(({ etag }) => etag))) throw error;
        }
      }),
    abortMultipart: (path, UploadId) =>
      guard(path, async () => {
        await abort(path, UploadId);
      }),
  };

  async function etagOf(path: string): Promise<string | undefined> {
    return (await client.send(new commands.HeadObjectCommand(at(path))).catch(() => undefined))?.ETag;
  }
}

/** S3's ETag of an object that was uploaded in parts: the MD5 of the parts' MD5s, and how many there are. */
function etagOfParts(etags: string[]): string {
  const digests = etags.map((etag) => Buffer.from(etag.replaceAll('"', ''), 'hex'));
  return `"${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${etags.length}"`;
}
