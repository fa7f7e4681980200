import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { denied } from '../kernel/index.ts';

/** Which folders may be read and written on a user's behalf. */
export interface PathAccess {
  /** The real path of a file or folder, which need not exist yet. Throws `denied` when that is outside every root, through symbolic links too. */
  check(path: string): Promise<string>;
}

/** `roots` undefined: anywhere. */
export const createPathAccess = (roots: string[] | undefined): PathAccess => ({
  async check(path) {
    const real = await realpathOfNearest(resolve(path));
    if (roots === undefined) return real;
    for (const root of roots) if (isWithin(await realpathOfNearest(resolve(root)), real)) return real;
    throw denied(
      'path_outside_roots',
      `'${path}' is outside the folders that batch jobs may use (${roots.join(', ') || 'none'}). Add one with --batch-root (batchRoots, BINNACLE_BATCH_ROOTS).`,
    );
  },
});

/** True for the folder itself and for what is in it. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith('../') && !way.startsWith('..\\') && !isAbsolute(way));
}

async function realpathOfNearest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path)
      throw denied('path_unusable', `'${path}' cannot be used: ${(error as Error).message}`, { cause: error });
    return join(await realpathOfNearest(parent), basename(path));
  }
}
