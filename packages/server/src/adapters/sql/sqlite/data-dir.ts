import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { conflict, denied, exhausted } from '../../../kernel/index.ts';
import { mapSqliteError } from './errors.ts';

/** Who has a data directory open; read by a second server and by the command line. */
export interface Owner {
  pid: number;
  url: string | null;
  startedAt: number;
}

export interface DataDirLock {
  /** Tells others where the server listens. */
  announce(url: string): void;
  release(): void;
}

/** A connection that nobody refers to is closed, and its lock let go of. */
const held = new Set<DatabaseSync>();

const LOCK = 'owner.lock';
const OWNER = 'owner.json';

/**
 * Takes a data directory for this process. The lock is an exclusive SQLite lock on a small file: the operating system drops it when the
 * process dies, however it dies, so there is no stale lock to clean up.
 */
export function lockDataDir(dir: string): DataDirLock {
  prepare(dir);
  const db = new DatabaseSync(join(dir, LOCK));
  try {
    // Nothing is ever written to it, and a journal would need space on the disk.
    db.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    if (!isBusy(cause)) throw mapSqliteError(cause, join(dir, LOCK));
    const owner = readOwner(dir);
    const who = owner === undefined ? 'another Binnacle' : `the Binnacle with process id ${owner.pid}${owner.url === null ? '' : ` at ${owner.url}`}`;
    throw conflict('data_dir_in_use', `The data directory ${dir} is in use by ${who}. Use that one, stop it, or choose another directory with --data DIR.`, {
      cause,
      details: { ...owner },
    });
  }
  const startedAt = Date.now();
  const write = (url: string | null) => {
    const temporary = join(dir, `${OWNER}.${process.pid}.tmp`);
    try {
      writeFileSync(temporary, JSON.stringify({ pid: process.pid, url, startedAt } satisfies Owner));
      renameSync(temporary, join(dir, OWNER));
    } catch (cause) {
      rmSync(temporary, { force: true });
      throw (cause as NodeJS.ErrnoException).code === 'ENOSPC' ? diskFull(dir, cause) : cause;
    }
  };
  try {
    write(null);
  } catch (error) {
    db.close();
    throw error;
  }
  held.add(db);
  return {
    announce: write,
    release() {
      held.delete(db);
      rmSync(join(dir, OWNER), { force: true });
      db.exec('ROLLBACK');
      db.close();
    },
  };
}

/** True when a process holds the directory now. */
export function isLocked(dir: string): boolean {
  if (!existsSync(join(dir, LOCK))) return false;
  const db = new DatabaseSync(join(dir, LOCK));
  try {
    db.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; ROLLBACK');
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    db.close();
  }
}

export function readOwner(dir: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, OWNER), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

/** SQLITE_BUSY and SQLITE_LOCKED. */
const isBusy = (error: unknown): boolean => [5, 6].includes(((error as { errcode?: number }).errcode ?? 0) & 0xff);

const diskFull = (dir: string, cause: unknown) =>
  exhausted('disk_full', `The disk that holds the data directory ${dir} is full. Free some space, or choose another directory with --data DIR.`, { cause });

function prepare(dir: string): void {
  const probe = join(dir, `.write-test-${process.pid}`);
  try {
    // 0700: what a team logs is nobody else's on a shared machine.
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    closeSync(openSync(probe, 'w'));
    rmSync(probe);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC') throw diskFull(dir, cause);
    throw denied(
      'data_dir_unwritable',
      `The data directory ${dir} cannot be written (${code ?? String(cause)}). Change its permissions, or choose another with --data DIR.`,
      { cause },
    );
  }
}
