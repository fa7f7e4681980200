import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES, PROGRESS, recordOf } from './record.ts';

/** How far a run was sent. */
export interface Progress {
  /** The server's address. */
  server: string;
  /** Everything before this byte was taken. */
  offset: number;
  done: boolean;
}

/** Another sync was quicker and has removed the run. */
export class VanishedError extends Error {}

/** How far a run was sent to this server; undefined when nothing is known of it. */
export async function readProgress(folder: string, server: string): Promise<Progress | undefined> {
  try {
    const progress = JSON.parse(await readFile(join(folder, PROGRESS), 'utf8')) as Progress;
    return progress.server === server ? progress : undefined;
  } catch {
    return undefined;
  }
}

export async function saveProgress(folder: string, progress: Progress): Promise<void> {
  const file = join(folder, PROGRESS);
  // Another sync may be at the same folder.
  const temporary = `${file}.${process.pid}`;
  try {
    await writeFile(temporary, JSON.stringify(progress));
    await rename(temporary, file);
    if (!existsSync(recordOf(folder))) await removeRest(folder);
  } catch {
    // A folder that can only be read, or that is gone: the next sync sends it all again.
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** The record first: without it the folder is no run any more, and the next sync removes what a killed one has left. */
export async function removeRun(folder: string): Promise<void> {
  await rm(recordOf(folder), { force: true });
  await removeRest(folder);
}

/** What is left of a run's folder without its record; our own files only, and the folder when nothing else is in it. */
export async function removeRest(folder: string): Promise<void> {
  await rm(join(folder, FILES), { recursive: true, force: true });
  for (const name of await readdir(folder).catch(() => [])) if (name.startsWith(PROGRESS)) await rm(join(folder, name), { force: true });
  await rmdir(folder).catch(() => {});
}
