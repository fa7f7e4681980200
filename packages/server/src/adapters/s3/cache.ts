import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { artifactCorrupted } from '../../artifacts/index.ts';
import { notFound } from '../../kernel/index.ts';
import { checksumOf, rememberChecksum } from './checksums.ts';
import type { Bucket } from './client.ts';
import { isChanged, isMissing } from './errors.ts';
import { entriesBelow, type ListedObject } from './listing.ts';

export interface Cache {
  /** A local path with the content of a file or folder. What lies beside an ONNX file lies beside its copy, too: its weights may be there. */
  materialize(path: string): Promise<string>;
}

/** Copies that were asked for within this time stay, whatever the bound: someone may be about to open them. */
const IN_USE_MS = 10 * 60_000;
const PARALLEL = 4;
/** More than this beside an ONNX file is not a model's folder. */
const MAX_BESIDE = 1000;

/**
 * Local copies. `blobs/` holds objects by path and ETag; `trees/` holds what callers see: folders of hard links to blobs, named by what is in them. Both appear whole: made
 * in `tmp/`, fsynced, renamed. A version of a file never changes under a caller, since another ETag makes another tree.
 */
export async function openCache(bucket: Bucket, options: { folder: string; maxBytes: number }): Promise<Cache> {
  const [tmp, blobs, trees] = ['tmp', 'blobs', 'trees'].map((name) => join(options.folder, name)) as [string, string, string];
  await rm(tmp, { recursive: true, force: true });
  for (const folder of [tmp, blobs, trees]) await mkdir(folder, { recursive: true, mode: 0o700 });
  const underWay = new Map<string, Promise<void>>();
  const temporary = () => join(tmp, randomBytes(12).toString('hex'));

  /** Two who want the same at once share the work. */
  async function once(key: string, work: () => Promise<void>): Promise<void> {
    const running = underWay.get(key) ?? work().finally(() => underWay.delete(key));
    underWay.set(key, running);
    return running;
  }

  async function download(object: ListedObject, target: string): Promise<void> {
    const { GetObjectCommand } = bucket.commands;
    const got = await bucket.client.send(new GetObjectCommand({ Bucket: bucket.name, Key: bucket.key(object.path), IfMatch: object.etag }));
    const kept = await checksumOf(bucket, object.path, got);
    const aside = temporary();
    const file = await open(aside, 'wx', 0o444);
    try {
      const hash = createHash('sha256');
      for await (const chunk of got.Body as AsyncIterable<Uint8Array>) {
        hash.update(chunk);
        for (let written = 0; written < chunk.length; ) written += (await file.write(chunk, written)).bytesWritten;
      }
      const sha256 = hash.digest('hex');
      if (kept !== null && kept !== sha256) throw artifactCorrupted(object.path, kept, sha256);
      await file.sync();
      await file.close();
      await rename(aside, target);
      await syncFolder(blobs);
      // Uploaded past this server: from now on it is held against what it was when it was first read.
      if (kept === null) await rememberChecksum(bucket, object.path, object.etag, sha256).catch(() => {});
    } catch (error) {
      await file.close().catch(() => {});
      await rm(aside, { force: true });
      throw error;
    }
  }

  async function blobOf(object: ListedObject): Promise<string> {
    const blob = join(blobs, digest(bucket.name, bucket.key(object.path), object.etag));
    await once(blob, async () => {
      const found = await stat(blob).catch(() => undefined);
      if (found?.size !== object.size) await download(object, blob);
    });
    return blob;
  }

  async function linkBlob(object: ListedObject, target: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await link(await blobOf(object), target);
      } catch (error) {
        // Trimmed away between the two.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 3) throw error;
      }
    }
  }

  async function build(base: string, objects: ListedObject[], tree: string): Promise<void> {
    const aside = temporary();
    const folders = new Set([aside]);
    const queue = [...objects];
    await mkdir(aside);
    const work = async () => {
      for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
        const target = join(aside, object.path.slice(base === '' ? 0 : base.length + 1));
        await mkdir(dirname(target), { recursive: true });
        for (let folder = dirname(target); folder !== aside && !folders.has(folder); folder = dirname(folder)) folders.add(folder);
        await linkBlob(object, target);
      }
    };
    try {
      const results = await Promise.allSettled(Array.from({ length: PARALLEL }, work));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
      for (const folder of folders) await syncFolder(folder);
      await rename(aside, tree);
      await syncFolder(trees);
    } catch (error) {
      queue.length = 0;
      await rm(aside, { recursive: true, force: true });
      throw error;
    }
    await trim();
  }

  /** The local folder that holds these objects below `base`. */
  async function treeOf(base: string, objects: ListedObject[]): Promise<string> {
    const tree = join(trees, digest(bucket.name, bucket.key(base), ...objects.flatMap(({ path, etag, size }) => [path, etag, String(size)])));
    await once(tree, async () => {
      const used = await utimes(tree, new Date(), new Date()).then(
        () => true,
        () => false,
      );
      if (!used) await build(base, objects, tree);
    });
    return tree;
  }

  /** Removes the trees that nobody has asked for the longest, until the blobs that are left fit. */
  async function trim(): Promise<void> {
    const sizeOf = async () => {
      let total = 0;
      for (const name of await readdir(blobs)) {
        const { size = 0, nlink = 1 } = (await stat(join(blobs, name)).catch(() => undefined)) ?? {};
        // In no tree, and no download that is under way will put it into one.
        if (nlink === 1 && !underWay.has(join(blobs, name)) && underWay.size <= 1) await rm(join(blobs, name), { force: true });
        else total += size;
      }
      return total;
    };
    if ((await sizeOf()) <= options.maxBytes) return;
    const all = await Promise.all((await readdir(trees)).map(async (name) => ({ name, at: (await stat(join(trees, name))).mtimeMs })));
    for (const { name, at } of all.sort((a, b) => a.at - b.at)) {
      if (at > Date.now() - IN_USE_MS) return;
      const gone = temporary();
      await rename(join(trees, name), gone);
      await rm(gone, { recursive: true, force: true });
      if ((await sizeOf()) <= options.maxBytes) return;
    }
  }

  async function collect(path: string, limit = Number.POSITIVE_INFINITY): Promise<ListedObject[]> {
    const objects: ListedObject[] = [];
    for await (const entry of entriesBelow(bucket, path)) if (objects.push(entry) > limit) break;
    return objects;
  }

  async function fetchCopy(path: string): Promise<string> {
    const { HeadObjectCommand } = bucket.commands;
    const head = await bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key: bucket.key(path) })).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (head === undefined) {
      const objects = await collect(path);
      if (objects.length === 0) throw notFound('artifact_not_found', `No artifact at ${JSON.stringify(path)}.`);
      return treeOf(path, objects);
    }
    const own: ListedObject = { path, isDirectory: false, size: head.ContentLength ?? 0, etag: head.ETag ?? '' };
    const base = path.split('/').slice(0, -1).join('/');
    const name = path.slice(base === '' ? 0 : base.length + 1);
    if (base !== '' && !base.startsWith('.') && name.endsWith('.onnx')) {
      const beside = await collect(base, MAX_BESIDE);
      const total = beside.reduce((sum, { size }) => sum + size, 0);
      if (beside.length <= MAX_BESIDE && total <= options.maxBytes && beside.some((entry) => entry.path === path && entry.etag === own.etag))
        return join(await treeOf(base, beside), name);
    }
    return join(await treeOf(base, [own]), name);
  }

  return {
    async materialize(path) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await fetchCopy(path);
        } catch (error) {
          // Replaced or removed since it was listed: look again.
          if (attempt === 3 || !(isChanged(error) || isMissing(error))) throw error;
        }
      }
    },
  };
}

const digest = (...parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
