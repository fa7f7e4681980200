import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ArtifactStore } from '../artifacts/index.ts';
import { BinnacleError, type Clock, newId, systemClock, unavailable, unsupported } from '../kernel/index.ts';
import type { DatabaseSnapshots, SnapshotFacts } from './database-snapshots.port.ts';
import { ARTIFACTS, type BackupFile, DATABASE, MANIFEST, makeManifest, MONITORING } from './manifest.ts';
import { TAR_END, tarHeader, tarPadding } from './tar.ts';

export interface BackupDeps {
  dataDir: string;
  version: string;
  /** Null when the metadata lives in a database that has backups of its own. */
  database: DatabaseSnapshots | null;
  artifacts: ArtifactStore;
  /** Everything that the prediction log was told before is in sealed files afterwards. */
  sealPredictions(): Promise<void>;
  clock?: Clock;
}

export interface Backup {
  /** A tar archive; to be read once. */
  stream: AsyncIterable<Uint8Array>;
  /** Removes what was set aside; also when the stream was not read, or not to its end. */
  close(): Promise<void>;
}

const STAGING = 'binnacle.db.backup-';
/** The prediction log may merge its files between the snapshot and the look at them. */
const ATTEMPTS = 5;

/**
 * A backup while the server works. The database is copied as of one moment. Artifacts are read after it: every file that a row of the copy speaks of was
 * there before the row, and files never change in place; one that is uploaded meanwhile may be in it without its row.
 */
export async function openBackup(deps: BackupDeps): Promise<Backup> {
  const { database, dataDir } = deps;
  if (database === null)
    throw unsupported('backup_unsupported', 'The metadata is in a database server: back it up with its own tools, and the artifact store with its own.');
  const staging = join(dataDir, `${STAGING}${newId()}`);
  const close = () => rm(staging, { recursive: true, force: true });
  try {
    await mkdir(staging, { recursive: true });
    const facts = await setAside(deps, database, staging);
    return { stream: archive(deps, staging, facts), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What backups that a crash cut off have left. */
export async function sweepBackups(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) if (name.startsWith(STAGING)) await rm(join(dataDir, name), { recursive: true, force: true });
}

async function setAside(deps: BackupDeps, database: DatabaseSnapshots, staging: string): Promise<SnapshotFacts> {
  for (let attempt = 1; ; attempt++) {
    await rm(staging, { recursive: true, force: true });
    await mkdir(join(staging, 'segments'), { recursive: true });
    await deps.sealPredictions();
    const facts = await database.take(join(staging, DATABASE));
    try {
      for (const path of facts.segments) await keep(join(deps.dataDir, 'monitoring', path), join(staging, 'segments', basename(path)));
      return facts;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (attempt === ATTEMPTS) throw unavailable('backup_log_moves', 'The files of the prediction log went on changing while they were backed up. Try again.');
    }
  }
}

/** A second name for the file, so that a merge may drop the first; a copy where the file system has none. */
async function keep(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
    await copyFile(from, to);
  }
}

async function* archive({ artifacts, version, clock = systemClock }: BackupDeps, staging: string, facts: SnapshotFacts): AsyncIterable<Uint8Array> {
  const createdAt = clock();
  const files: BackupFile[] = [];
  const add = async function* (path: string, size: number, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    yield tarHeader(path, size, createdAt);
    const hash = createHash('sha256');
    let sent = 0;
    for await (const chunk of body) {
      hash.update(chunk);
      sent += chunk.length;
      yield chunk;
    }
    if (sent !== size) throw unavailable('backup_file_changed', `${path} had ${size} bytes and then ${sent}. Try again.`);
    yield tarPadding(size);
    files.push({ path, size, sha256: hash.digest('hex') });
  };
  const local = async function* (path: string, file: string): AsyncIterable<Uint8Array> {
    const { size } = await stat(file);
    yield* add(path, size, createReadStream(file, { highWaterMark: 256 * 1024 }));
  };
  yield* local(DATABASE, join(staging, DATABASE));
  for (const path of facts.segments) yield* local(`${MONITORING}${path}`, join(staging, 'segments', basename(path)));
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await artifacts.list(folder)) {
      if (entry.isDirectory) {
        folders.push(entry.path);
        continue;
      }
      let opened;
      try {
        opened = await artifacts.open(entry.path);
      } catch (error) {
        // Deleted since it was listed, as if it had been before.
        if (error instanceof BinnacleError && error.kind === 'not_found') continue;
        throw error;
      }
      yield* add(`${ARTIFACTS}${entry.path}`, opened.size, opened.stream as AsyncIterable<Uint8Array>);
    }
  }
  const manifest = Buffer.from(JSON.stringify(makeManifest({ version, createdAt, tables: facts.tables, files })));
  yield tarHeader(MANIFEST, manifest.length, createdAt);
  yield manifest;
  yield tarPadding(manifest.length);
  yield TAR_END;
}
