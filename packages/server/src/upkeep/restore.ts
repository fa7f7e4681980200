import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ArtifactStore } from '../artifacts/index.ts';
import { conflict, invalid, newId, notFound } from '../kernel/index.ts';
import type { DatabaseSnapshots } from './database-snapshots.port.ts';
import { ARTIFACTS, type BackupFile, type BackupManifest, checkBackupPath, DATABASE, MANIFEST, parseManifest } from './manifest.ts';
import { readTar } from './tar.ts';

const MAX_MANIFEST = 512 * 1024 * 1024;

export interface BackupSummary {
  createdAt: number;
  version: string;
  files: number;
  bytes: number;
  tables: Record<string, number>;
}

type Put = (path: string, body: AsyncIterable<Uint8Array>) => Promise<{ size: number; sha256: string }>;

const summaryOf = ({ createdAt, version, tables, files }: BackupManifest): BackupSummary => ({
  createdAt,
  version,
  files: files.length,
  bytes: files.reduce((sum, { size }) => sum + size, 0),
  tables,
});

/** Reads every byte of a backup and compares it with the manifest; `put` gets the files. Throws `invalid` when anything is missing, changed or too much. */
async function readBackup(source: AsyncIterable<Uint8Array> | { folder: string }, put: Put): Promise<BackupManifest> {
  const found = new Map<string, Omit<BackupFile, 'path'>>();
  let manifest: BackupManifest | undefined;
  const take = async (path: string, body: AsyncIterable<Uint8Array>) => {
    if (found.has(path)) throw invalid('backup_unreadable', `The backup holds ${path} twice.`);
    found.set(path, await put(path, body));
  };
  if (Symbol.asyncIterator in source) {
    for await (const { path, size, body } of readTar(source)) {
      if (checkBackupPath(path) !== MANIFEST) await take(path, body);
      else if (size > MAX_MANIFEST) throw invalid('backup_unreadable', `The backup's ${MANIFEST} is far too long.`);
      else manifest = parseManifest((await wholeOf(body)).toString('utf8'));
    }
  } else {
    const { folder } = source;
    const text = await readFile(join(folder, MANIFEST), 'utf8').catch(() => undefined);
    if (text !== undefined) manifest = parseManifest(text);
    for (const { path } of manifest?.files ?? []) {
      const file = join(folder, checkBackupPath(path));
      if (!(await lstat(file).catch(() => undefined))?.isFile()) throw invalid('backup_incomplete', `The backup has lost ${path}, which its manifest lists.`);
      await take(path, createReadStream(file));
    }
  }
  if (manifest === undefined) throw invalid('backup_incomplete', `The backup has no ${MANIFEST}: it was not written to its end.`);
  for (const { path, size, sha256 } of manifest.files) {
    const has = found.get(path);
    if (has === undefined) throw invalid('backup_incomplete', `The backup has lost ${path}, which its manifest lists.`);
    if (has.size !== size || has.sha256 !== sha256) throw invalid('backup_damaged', `${path} of the backup is not what it was when it was written.`);
    found.delete(path);
  }
  for (const path of found.keys()) throw invalid('backup_damaged', `The backup holds ${path}, which its manifest does not list.`);
  return manifest;
}

/** Writes, syncs and measures a file; its folder is made when it is missing. */
async function writeFileSynced(file: string, body: AsyncIterable<Uint8Array>): Promise<{ size: number; sha256: string }> {
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, 'wx', 0o600);
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      size += chunk.length;
      for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at, chunk.length - at)).bytesWritten;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { size, sha256: hash.digest('hex') };
}

async function wholeOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function measure(body: AsyncIterable<Uint8Array>): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest('hex') };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

async function refuseExisting(path: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) !== undefined)
    throw conflict('backup_exists', `${path} exists already. Choose another name, or remove it first: a backup never overwrites one.`);
}

/**
 * Stores what a server sends as a backup (asked for once it is clear that there is room for it): a `.tar` file, or a folder for any other name. Read again to its last byte before it gets its name, so
 * that what has the name can be restored.
 */
export async function saveBackup(request: () => Promise<AsyncIterable<Uint8Array>>, target: string): Promise<BackupSummary> {
  const path = resolve(target);
  await refuseExisting(path);
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.partial-${newId().slice(0, 8)}`;
  try {
    const stream = await request();
    let manifest: BackupManifest;
    if (path.endsWith('.tar')) {
      await writeFileSynced(aside, stream);
      manifest = await readBackup(createReadStream(aside), (_, body) => measure(body));
    } else {
      manifest = await readBackup(stream, (name, body) => writeFileSynced(join(aside, name), body));
      const bytes = Buffer.from(JSON.stringify(manifest));
      await writeFileSynced(join(aside, MANIFEST), single(bytes));
      await syncFolder(aside);
    }
    await refuseExisting(path);
    await rename(aside, path);
    await syncFolder(dirname(path));
    return summaryOf(manifest);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

async function* single(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

export interface RestoreDeps {
  database: DatabaseSnapshots;
  openArtifacts(root: string): Promise<ArtifactStore>;
}

/** Makes a data directory of a backup: whole, verified and synced, or not at all. The directory must be empty or not there. */
export async function restoreBackup(deps: RestoreDeps, backup: string, dataDir: string): Promise<BackupSummary> {
  const from = resolve(backup);
  const to = resolve(dataDir);
  const kind = await lstat(from).catch(() => undefined);
  if (kind === undefined) throw notFound('backup_not_found', `There is no backup at ${from}.`);
  const present = await readdir(to).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (present.length > 0)
    throw conflict(
      'data_dir_not_empty',
      `${to} is not empty. A backup is restored into an empty directory only: name another with --data, or move this one away.`,
    );
  const aside = `${to}.restoring-${newId().slice(0, 8)}`;
  try {
    await mkdir(join(aside, 'artifacts'), { recursive: true, mode: 0o700 });
    const artifacts = await deps.openArtifacts(join(aside, 'artifacts'));
    const manifest = await readBackup(kind.isDirectory() ? { folder: from } : createReadStream(from), (path, body) =>
      path.startsWith(ARTIFACTS) ? artifacts.put(path.slice(ARTIFACTS.length), body) : writeFileSynced(join(aside, path), body),
    );
    const { tables } = await deps.database.inspect(join(aside, DATABASE));
    for (const [table, rows] of Object.entries(manifest.tables))
      if (tables[table] !== rows)
        throw invalid('backup_damaged', `The table ${table} of the backup has ${tables[table] ?? 'no'} rows, not the ${rows} it was written with.`);
    await syncFolder(aside);
    // Takes the place of an empty directory, and of no other.
    await rename(aside, to);
    await syncFolder(dirname(to));
    return summaryOf(manifest);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}
