import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type DataDirLock, type DatabaseLocation, lockDataDir, openMovable, parseDatabaseLocation } from '../adapters/sql/index.ts';
import type { Config } from '../config/index.ts';
import { invalid } from '../kernel/index.ts';
import { type MovableDatabase, moveDatabase, type MoveProgress, type MoveReport } from '../upkeep/index.ts';

/** Moves the metadata of the configuration to another database, without a server; each file's folder and each server's database is held meanwhile. */
export async function moveMetadata({ dataDir, database }: Pick<Config, 'dataDir' | 'database'>, to: string, progress: MoveProgress): Promise<MoveReport> {
  const from: DatabaseLocation = database.url === undefined ? { file: join(dataDir, 'binnacle.db') } : { url: database.url };
  const target = parseDatabaseLocation(to);
  if (sameFile(from, target)) throw invalid('migration_same', `It is in ${dataDir} already.`);
  const locks: DataDirLock[] = [];
  const open: MovableDatabase[] = [];
  try {
    const folders = new Set<string>();
    for (const location of [from, target]) if ('file' in location) folders.add(dirname(location.file));
    for (const folder of folders) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      locks.push(lockDataDir(folder));
    }
    open.push(await openMovable(from, 'source'));
    const [source] = open as [MovableDatabase];
    const destination = await openMovable(target, 'target');
    open.push(destination);
    return await moveDatabase(source, destination, { progress });
  } finally {
    for (const database of open.reverse()) await database.close().catch(() => {});
    for (const lock of locks) lock.release();
  }
}

function sameFile(a: DatabaseLocation, b: DatabaseLocation): boolean {
  if (!('file' in a) || !('file' in b)) return false;
  const real = (file: string) => {
    try {
      return realpathSync(file);
    } catch {
      return resolve(file);
    }
  };
  return real(a.file) === real(b.file);
}
