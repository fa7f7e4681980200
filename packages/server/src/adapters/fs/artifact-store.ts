import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ArtifactEntry, ArtifactStore, OpenArtifact } from '../../artifacts/index.ts';
import { exhausted, invalid, notFound, releaseBuffer } from '../../kernel/index.ts';
import { CHECKSUMS, createChecksumFolder } from './checksums.ts';
import { mapFsError } from './errors.ts';

/** Uploads on their way; in the root so that the rename stays on one file system, and hidden from every caller. */
const UPLOADS = '.uploads';
const OWN = [UPLOADS, CHECKSUMS];
const READ_CHUNK = 256 * 1024;

export interface FolderArtifactStoreOptions {
  root: string;
  /** True (the default) when this process owns the folder alone: unfinished uploads of an earlier process are removed at once. Otherwise only those older than a day. */
  exclusive?: boolean;
}

/**
 * A folder. A file appears whole or not at all: written to `.uploads/`, fsynced, renamed, and the folder fsynced; its SHA-256
 * is kept in `.checksums/`. Symbolic links below the root are neither followed nor listed; the root itself may be one.
 */
export async function openFolderArtifactStore(options: FolderArtifactStoreOptions): Promise<ArtifactStore> {
  const at = (error: unknown) => mapFsError(error, '');
  await mkdir(join(options.root, UPLOADS), { recursive: true }).catch((error) => Promise.reject(at(error)));
  const root = await realpath(options.root);
  await clean(join(root, UPLOADS), options.exclusive === false ? Date.now() - 24 * 3600_000 : Number.POSITIVE_INFINITY);
  return new FolderArtifactStore(root);
}

class FolderArtifactStore implements ArtifactStore {
  readonly #root: string;
  readonly #checksums: ReturnType<typeof createChecksumFolder>;
  constructor(root: string) {
    this.#root = root;
    this.#checksums = createChecksumFolder(root);
  }

  put(path: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: { maxBytes?: number } = {}): Promise<{ size: number; sha256: string }> {
    return this.#guard(path, async (segments) => {
      refuseRoot(segments);
      const temporary = join(this.#root, UPLOADS, randomBytes(12).toString('hex'));
      const file = await open(temporary, 'wx', 0o644);
      try {
        const result = await writeAll(file, body, options.maxBytes ?? Number.POSITIVE_INFINITY, path);
        await file.sync();
        await file.close();
        await this.#checksums.replace(segments, result.sha256, () => this.#place(temporary, segments));
        return result;
      } catch (error) {
        await file.close().catch(() => {});
        await unlink(temporary).catch(() => {});
        throw error;
      }
    });
  }

  open(path: string, range?: { start: number; end?: number }): Promise<OpenArtifact> {
    return this.#guard(path, async (segments) => {
      await this.#refuseLinks(segments.slice(0, -1));
      // O_NOFOLLOW closes the gap between looking at the last name and opening it; O_NONBLOCK keeps a fifo from hanging us.
      const [file, sha256] = await this.#checksums.read(segments, () =>
        open(this.#full(segments), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
      );
      try {
        const info = await file.stat();
        if (!info.isFile())
          throw notFound(
            'artifact_not_found',
            info.isDirectory() ? `${JSON.stringify(path)} is a folder, not a file.` : `No artifact at ${JSON.stringify(path)}.`,
          );
        const start = range?.start ?? 0;
        if (start < 0 || (start > 0 && start >= info.size) || (range?.end !== undefined && range.end < start))
          throw invalid('artifact_range_invalid', `Bytes ${start}-${range?.end ?? ''} are outside of ${JSON.stringify(path)}, which has ${info.size} bytes.`, {
            details: { size: info.size },
          });
        // An end behind the file's own would be read beyond a later growth; cut to what we saw.
        const end = Math.min(range?.end ?? info.size - 1, info.size - 1);
        if (end < start) {
          await file.close();
          return { stream: Readable.from([]), size: info.size, sha256 };
        }
        return {
          stream: file.createReadStream({
            start,
            end,
            highWaterMark: READ_CHUNK,
          }),
          size: info.size,
          sha256,
        };
      } catch (error) {
        await file.close().catch(() => {});
        throw error;
      }
    });
  }

  stat(path: string): Promise<ArtifactEntry | undefined> {
    return this.#guard(path, async (segments) => {
      try {
        await this.#refuseLinks(segments.slice(0, -1));
        const info = await lstat(this.#full(segments));
        if (info.isDirectory()) return { path, isDirectory: true, size: null };
        return info.isFile() ? { path, isDirectory: false, size: info.size } : undefined;
      } catch (error) {
        if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
        throw error;
      }
    });
  }

  list(path: string): Promise<ArtifactEntry[]> {
    return this.#guard(path, async (segments) => {
      await this.#refuseLinks(segments);
      const entries = await readdir(this.#full(segments), {
        withFileTypes: true,
      }).catch((error) => {
        if (isCode(error, 'ENOENT', 'ENOTDIR')) return [];
        throw error;
      });
      const kept = entries.filter((entry) => (entry.isFile() || entry.isDirectory()) && !(segments.length === 0 && OWN.includes(entry.name)));
      kept.sort((a, b) => (a.name < b.name ? -1 : 1));
      const result: ArtifactEntry[] = [];
      for (const entry of kept) {
        const child = [...segments, entry.name];
        if (entry.isDirectory()) result.push({ path: child.join('/'), isDirectory: true, size: null });
        else {
          // Deleted since it was read: left out.
          const info = await lstat(this.#full(child)).catch(() => undefined);
          if (info !== undefined)
            result.push({
              path: child.join('/'),
              isDirectory: false,
              size: info.size,
            });
        }
      }
      return result;
    });
  }

  delete(path: string): Promise<void> {
    return this.#guard(path, async (segments) => {
      refuseRoot(segments);
      try {
        await this.#refuseLinks(segments.slice(0, -1));
      } catch (error) {
        if (isCode(error, 'ENOENT', 'ENOTDIR')) return;
        throw error;
      }
      // rm removes links themselves and never what they point at.
      await rm(this.#full(segments), { recursive: true, force: true });
      await this.#checksums.forget(segments);
      await syncFolder(this.#full(segments.slice(0, -1))).catch((error) => {
        if (!isCode(error, 'ENOENT', 'ENOTDIR')) throw error;
      });
    });
  }

  materialize(path: string): Promise<string> {
    return this.#guard(path, async (segments) => {
      await this.#refuseLinks(segments);
      await lstat(this.#full(segments));
      return this.#full(segments);
    });
  }

  #full(segments: string[]): string {
    return join(this.#root, ...segments);
  }

  /** Splits and checks a path once more (the room has done so), and maps what the file system throws. */
  async #guard<T>(path: string, work: (segments: string[]) => Promise<T>): Promise<T> {
    const segments = path === '' ? [] : path.split('/');
    if (segments.some((s) => s === '' || s === '.' || s === '..' || s.includes('\0') || s.includes('\\')) || OWN.includes(segments[0] ?? ''))
      throw invalid('artifact_path_invalid', `Invalid path: ${JSON.stringify(path)} cannot name an artifact.`);
    try {
      return await work(segments);
    } catch (error) {
      throw mapFsError(error, path);
    }
  }

  /** Throws when a component is a symbolic link. Names that do not exist end the walk with ENOENT. */
  async #refuseLinks(segments: string[]): Promise<void> {
    for (let i = 1; i <= segments.length; i++) {
      const info = await lstat(this.#full(segments.slice(0, i))).catch((error) => {
        if (isCode(error, 'ENOENT')) return undefined;
        throw error;
      });
      if (info === undefined) return;
      if (info.isSymbolicLink()) throw Object.assign(new Error('symbolic link'), { code: 'ELOOP' });
    }
  }

  async #place(temporary: string, segments: string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const folder = await this.#makeFolders(segments.slice(0, -1));
      try {
        await rename(temporary, join(folder, segments.at(-1) ?? ''));
        return await syncFolder(folder);
      } catch (error) {
        // The folder was deleted by someone else since it was made: make it again.
        if (!isCode(error, 'ENOENT') || attempt === 3) throw error;
      }
    }
  }

  /** Makes the folders that are missing, each made durable in its parent. */
  async #makeFolders(segments: string[]): Promise<string> {
    await this.#refuseLinks(segments);
    let folder = this.#root;
    for (const segment of segments) {
      const parent = folder;
      folder = join(folder, segment);
      try {
        await mkdir(folder);
        await syncFolder(parent);
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
        if (!(await lstat(folder)).isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
      }
    }
    return folder;
  }
}

async function writeAll(
  file: FileHandle,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  maxBytes: number,
  path: string,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  const isStream = !(body instanceof Uint8Array);
  for await (const chunk of isStream ? body : [body]) {
    size += chunk.length;
    if (size > maxBytes)
      throw exhausted(
        'artifact_too_large',
        `${JSON.stringify(path)} is larger than the ${maxBytes} bytes that this server takes; nothing was stored. Raise the upload limit or send less.`,
        { details: { maxBytes } },
      );
    hash.update(chunk);
    for (let written = 0; written < chunk.length; ) written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
    // Left to the garbage collector, an upload of 100 MB would make it mark the whole heap five times, and requests wait up to 20 ms for each.
    if (isStream) releaseBuffer(chunk);
  }
  return { size, sha256: hash.digest('hex') };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function clean(folder: string, before: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const info = await lstat(file).catch(() => undefined);
    if (info !== undefined && info.mtimeMs < before) await rm(file, { recursive: true, force: true });
  }
}

function refuseRoot(segments: string[]): void {
  if (segments.length === 0) throw invalid('artifact_path_invalid', 'Invalid path: the root of the artifact store cannot be written or deleted.');
}

const isCode = (error: unknown, ...codes: string[]): boolean => codes.includes((error as NodeJS.ErrnoException)?.code ?? '');
