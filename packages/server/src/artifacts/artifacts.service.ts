import { Readable } from 'node:stream';
import { exhausted, invalid, type Logger, notFound } from '../kernel/index.ts';
import type { ArtifactEntry, ArtifactStore, DirectTransfers, OpenArtifact } from './artifact-store.port.ts';
import { announcedBody, type ExpectedChecksums, verifiedStream } from './checksums.ts';
import { checkArtifactPath, joinArtifactPath, RESERVED_FOLDER } from './paths.ts';

/** The files of runs, logged models and versions. Every path that comes in is checked; see `checkArtifactPath` for what is refused. */
export interface ArtifactService {
  /**
   * Stores a body as a file, whole or not at all. `exhausted` over the limit or on a full disk, `invalid` (code `checksum_mismatch`) when it is not what
   * `expect` announces. `size` in bytes, `sha256` in hex.
   */
  put(
    path: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { maxBytes?: number; expect?: ExpectedChecksums },
  ): Promise<{ size: number; sha256: string }>;
  /**
   * The bytes, or an inclusive range of them, with size and checksum of the whole file. With `verify`, a whole file that is not what was stored is a `conflict`
   * (code `artifact_corrupted`): a small one at once, a large one as an error of the stream before its last bytes.
   */
  open(path: string, range?: { start: number; end?: number }, options?: { verify?: boolean }): Promise<OpenArtifact>;
  stat(path: string): Promise<ArtifactEntry | undefined>;
  /** Direct children by name ('' is the root); [] for a folder that does not exist. */
  list(path: string): Promise<ArtifactEntry[]>;
  /** Every file below a folder, by path; stops after `limit` (10,000). */
  listFiles(path: string, limit?: number): Promise<ArtifactEntry[]>;
  /** Removes a file or folder; `not_found` when there is none. */
  delete(path: string): Promise<void>;
  /** The whole text of a small file, verified; undefined when it does not exist, `exhausted` when it is longer than maxBytes. */
  readText(path: string, maxBytes: number): Promise<string | undefined>;
  /** A local path with the same content, to read only. */
  materialize(path: string): Promise<string>;
  /** The store's own links, where it has any; paths are checked. */
  readonly direct: DirectTransfers | undefined;
  /** Stores what the server derived itself, out of reach of the outside; returns the path for `materialize` and `deleteDerived`. */
  putDerived(path: string, body: Uint8Array): Promise<string>;
  deleteDerived(path: string): Promise<void>;
}

/** Files up to this size are read and verified before the first of their bytes is given, so that damage is an error in words. */
const VERIFIED_AHEAD = 1024 * 1024;
const internalPath = { allowReserved: true } as const;

export function createArtifactService(deps: { store: ArtifactStore; maxUploadBytes: number; logger?: Logger }): ArtifactService {
  const { store } = deps;
  const visible = (entries: ArtifactEntry[]) => entries.filter(({ path }) => path !== RESERVED_FOLDER && !path.startsWith(`${RESERVED_FOLDER}/`));
  async function verified({ stream, sha256, size }: OpenArtifact, path: string): Promise<Readable> {
    if (sha256 === null) return stream;
    const complain = (err: Error) => deps.logger?.error({ err, path }, 'an artifact does not match its checksum');
    const whole = verifiedStream(stream, path, sha256, complain);
    return size > VERIFIED_AHEAD ? whole : Readable.from([Buffer.concat(await whole.toArray())], { objectMode: false });
  }
  const service: ArtifactService = {
    put: (path, body, options) =>
      later(() =>
        store.put(checkArtifactPath(path), hasChecksum(options) ? announcedBody(body, path, options.expect) : body, {
          maxBytes: Math.min(options?.maxBytes ?? deps.maxUploadBytes, deps.maxUploadBytes),
        }),
      ),
    async open(path, range, options) {
      const checked = checkArtifactPath(path);
      const opened = await store.open(checked, range);
      if (options?.verify !== true || range !== undefined || opened.sha256 === null) return opened;
      return { ...opened, stream: await verified(opened, checked) };
    },
    stat: (path) => later(() => store.stat(checkArtifactPath(path, { allowRoot: true }))),
    list: async (path) => visible(await store.list(checkArtifactPath(path, { allowRoot: true }))),
    async listFiles(path, limit = 10_000) {
      const files: ArtifactEntry[] = [];
      const folders = [checkArtifactPath(path, { allowRoot: true })];
      for (let folder = folders.pop(); folder !== undefined && files.length < limit; folder = folders.pop()) {
        for (const entry of visible(await store.list(folder))) {
          if (entry.isDirectory) folders.push(entry.path);
          else files.push(entry);
        }
      }
      return files.slice(0, limit).sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    async delete(path) {
      const checked = checkArtifactPath(path);
      if ((await store.stat(checked)) === undefined) throw notFound('artifact_not_found', `No artifact at ${JSON.stringify(checked)}.`);
      await store.delete(checked);
    },
    readText: (path, maxBytes) => readText(store, checkArtifactPath(path), maxBytes, verified),
    materialize: (path) => later(() => store.materialize(checkArtifactPath(path, internalPath))),
    direct: store.direct === undefined ? undefined : checkedTransfers(store.direct, deps.maxUploadBytes),
    async putDerived(path, body) {
      const target = joinArtifactPath(RESERVED_FOLDER, checkArtifactPath(path));
      await store.put(target, body);
      return target;
    },
    deleteDerived: (path) =>
      later(() => {
        const checked = checkArtifactPath(path, internalPath);
        if (!checked.startsWith(`${RESERVED_FOLDER}/`)) throw invalid('artifact_path_invalid', `Invalid path: ${JSON.stringify(path)} is not a derived file.`);
        return store.delete(checked);
      }),
  };
  return service;
}

function checkedTransfers(direct: DirectTransfers, maxUploadBytes: number): DirectTransfers {
  return {
    presignDownload: (path, options) => later(() => direct.presignDownload(checkArtifactPath(path), options)),
    presignUpload: (path, options) => later(() => direct.presignUpload(checkArtifactPath(path), options)),
    createMultipart: (path, parts) => later(() => direct.createMultipart(checkArtifactPath(path), parts)),
    completeMultipart: (path, uploadId, parts, { maxBytes }) =>
      later(() => direct.completeMultipart(checkArtifactPath(path), uploadId, parts, { maxBytes: Math.min(maxBytes, maxUploadBytes) })),
    abortMultipart: (path, uploadId) => later(() => direct.abortMultipart(checkArtifactPath(path), uploadId)),
  };
}

const hasChecksum = (options: { expect?: ExpectedChecksums } | undefined): options is { expect: ExpectedChecksums } =>
  options?.expect?.sha256 !== undefined || options?.expect?.md5 !== undefined;

/** A refused path rejects the promise rather than throwing at the call. */
async function later<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

async function readText(
  store: ArtifactStore,
  path: string,
  maxBytes: number,
  verified: (opened: OpenArtifact, path: string) => Promise<Readable>,
): Promise<string | undefined> {
  const entry = await store.stat(path);
  if (entry === undefined || entry.isDirectory) return undefined;
  const tooLong = () => exhausted('artifact_too_large', `The file ${path} is longer than ${maxBytes} bytes, too long to be read as text.`);
  if ((entry.size ?? 0) > maxBytes) throw tooLong();
  const stream = await verified(await store.open(path), path);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
