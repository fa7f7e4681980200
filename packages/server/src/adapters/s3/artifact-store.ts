import { Readable } from 'node:stream';
import type { ArtifactEntry, ArtifactStore, DirectTransfers, OpenArtifact } from '../../artifacts/index.ts';
import { conflict, invalid } from '../../kernel/index.ts';
import { type Cache, openCache } from './cache.ts';
import { checksumOf } from './checksums.ts';
import { type Bucket, type BucketOptions, openBucket } from './client.ts';
import { directTransfers } from './direct.ts';
import { isMissing, mapS3Error, statusOf } from './errors.ts';
import { CHECKSUMS, checkPath, isOwn, parentsOf } from './keys.ts';
import { entriesBelow } from './listing.ts';
import { upload } from './upload.ts';

export interface S3ArtifactStoreOptions extends BucketOptions {
  /** Folder for local copies; this process's own. */
  cacheDir: string;
  /** What they may take together, bytes; those in use may take more. */
  cacheBytes: number;
  /** Whether clients may be sent to the bucket itself; true when not said. */
  presigned?: boolean;
}

/**
 * A bucket, or what is below a prefix of one. An object appears whole or not at all; folders are what keys have in common. Throws when the bucket is not there or
 * access to it is denied; one that cannot be reached now may be later, so that is no error yet.
 */
export async function openS3ArtifactStore(options: S3ArtifactStoreOptions): Promise<ArtifactStore> {
  const bucket = await openBucket(options);
  const { HeadBucketCommand } = bucket.commands;
  await bucket.client.send(new HeadBucketCommand({ Bucket: bucket.name })).catch((error: Error) => {
    // The answer to a HEAD has no body that could say what is missing.
    const said = statusOf(error) === 404 ? Object.assign(new Error(error.message), { name: 'NoSuchBucket' }) : error;
    const mapped = mapS3Error(said, '', bucket.name) as { kind?: string };
    if (mapped.kind !== 'unavailable') throw mapped;
  });
  return new S3ArtifactStore(bucket, await openCache(bucket, { folder: options.cacheDir, maxBytes: options.cacheBytes }), options.presigned ?? true);
}

class S3ArtifactStore implements ArtifactStore {
  readonly #bucket: Bucket;
  readonly #cache: Cache;
  readonly #closing = new AbortController();
  readonly direct?: DirectTransfers;
  constructor(bucket: Bucket, cache: Cache, presigned: boolean) {
    this.#bucket = bucket;
    this.#cache = cache;
    if (presigned)
      this.direct = directTransfers(bucket, {
        guard: (path, work) => this.#guard(path, () => (checkPath(path), work())),
        refuseClash: (path) => this.#refuseClash(path),
        signal: this.#closing.signal,
      });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#bucket.client.destroy();
  }

  put(path: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: { maxBytes?: number } = {}): Promise<{ size: number; sha256: string }> {
    return this.#guard(path, async () => {
      checkPath(path);
      await this.#refuseClash(path);
      return upload(this.#bucket, path, body, options.maxBytes ?? Number.POSITIVE_INFINITY);
    });
  }

  open(path: string, range?: { start: number; end?: number }): Promise<OpenArtifact> {
    return this.#guard(path, async () => {
      checkPath(path);
      const { start = 0, end } = range ?? {};
      if (start < 0 || (end !== undefined && end < start)) throw outside(path, start, end);
      const { GetObjectCommand } = this.#bucket.commands;
      const Range = start === 0 && end === undefined ? undefined : `bytes=${start}-${end ?? ''}`;
      try {
        const object = await this.#bucket.client.send(new GetObjectCommand({ Bucket: this.#bucket.name, Key: this.#bucket.key(path), Range }));
        const sha256 = await checksumOf(this.#bucket, path, object);
        return { stream: object.Body as Readable, size: Number(object.ContentRange?.split('/')[1] ?? object.ContentLength), sha256 };
      } catch (error) {
        if (statusOf(error) !== 416) throw error;
        const head = await this.#head(path);
        if (head === undefined) throw error;
        if ((head.ContentLength ?? 0) > 0 || start > 0) throw outside(path, start, end, head.ContentLength);
        return { stream: Readable.from([]), size: 0, sha256: await checksumOf(this.#bucket, path, head) };
      }
    });
  }

  stat(path: string): Promise<ArtifactEntry | undefined> {
    return this.#guard(path, async () => {
      if (checkPath(path, { allowRoot: true }) === '') return { path, isDirectory: true, size: null };
      const [head, isFolder] = await Promise.all([this.#head(path), this.#isFolder(path)]);
      if (head !== undefined) return { path, isDirectory: false, size: head.ContentLength ?? 0 };
      return isFolder ? { path, isDirectory: true, size: null } : undefined;
    });
  }

  list(path: string): Promise<ArtifactEntry[]> {
    return this.#guard(path, async () => {
      checkPath(path, { allowRoot: true });
      const result: ArtifactEntry[] = [];
      for await (const entry of entriesBelow(this.#bucket, path, { direct: true }))
        if (!isOwn(entry.path)) result.push({ path: entry.path, isDirectory: entry.isDirectory, size: entry.isDirectory ? null : entry.size });
      return result.sort((a, b) => (a.path < b.path ? -1 : 1));
    });
  }

  delete(path: string): Promise<void> {
    return this.#guard(path, async () => {
      checkPath(path);
      const roots = [path, `${CHECKSUMS}/${path}`];
      await this.#deleteObjects(roots);
      for (const root of roots) {
        const paths: string[] = [];
        for await (const entry of entriesBelow(this.#bucket, root, { markers: true }))
          if (paths.push(entry.path) === 1000) await this.#deleteObjects(paths.splice(0));
        await this.#deleteObjects(paths);
      }
    });
  }

  materialize(path: string): Promise<string> {
    return this.#guard(path, () => this.#cache.materialize(checkPath(path)));
  }

  async #head(path: string) {
    const { HeadObjectCommand } = this.#bucket.commands;
    try {
      return await this.#bucket.client.send(new HeadObjectCommand({ Bucket: this.#bucket.name, Key: this.#bucket.key(path) }));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #isFolder(path: string): Promise<boolean> {
    const { ListObjectsV2Command } = this.#bucket.commands;
    const { KeyCount } = await this.#bucket.client.send(
      new ListObjectsV2Command({ Bucket: this.#bucket.name, Prefix: `${this.#bucket.key(path)}/`, MaxKeys: 1 }),
    );
    return (KeyCount ?? 0) > 0;
  }

  /** Keys know no folders: that a name is a file or a folder and never both is looked at here. */
  async #refuseClash(path: string): Promise<void> {
    const [isFolder, ...heads] = await Promise.all([this.#isFolder(path), ...parentsOf(path).map((parent) => this.#head(parent))]);
    if (isFolder)
      throw conflict(
        'artifact_is_folder',
        `There is a folder at ${JSON.stringify(path)}; a file cannot take its place. Delete the folder or choose another name.`,
      );
    if (heads.some((head) => head !== undefined))
      throw conflict('artifact_parent_is_file', `A parent of ${JSON.stringify(path)} is a file, not a folder. Choose another name.`);
  }

  async #deleteObjects(paths: string[]): Promise<void> {
    if (paths.length === 0) return;
    const { DeleteObjectsCommand } = this.#bucket.commands;
    const Objects = paths.map((path) => ({ Key: this.#bucket.key(path) }));
    const { Errors } = await this.#bucket.client.send(new DeleteObjectsCommand({ Bucket: this.#bucket.name, Delete: { Objects, Quiet: true } }));
    const [failed] = Errors ?? [];
    if (failed !== undefined)
      throw Object.assign(new Error(failed.Message ?? ''), {
        name: failed.Code ?? 'DeleteFailed',
        $metadata: { httpStatusCode: failed.Code === 'AccessDenied' ? 403 : 500 },
      });
  }

  async #guard<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw mapS3Error(error, path, this.#bucket.name);
    }
  }
}

const outside = (path: string, start: number, end: number | undefined, size?: number): Error =>
  invalid(
    'artifact_range_invalid',
    `Bytes ${start}-${end ?? ''} are outside of ${JSON.stringify(path)}${size === undefined ? '' : `, which has ${size} bytes`}.`,
    { details: { size } },
  );
