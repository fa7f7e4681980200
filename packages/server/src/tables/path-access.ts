import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { denied } from '../kernel/index.ts';

/** Which folders may be read and written on a user's behalf. */
export interface PathAccess {
  /** The real path of a file or folder, which need not exist yet. Throws `denied` when it may not be used, through symbolic links too. */
  check(path: string): Promise<string>;
}

export interface PathAccessOptions {
  /** The only folders that may be used; undefined: anywhere. */
  roots?: string[] | undefined;
  /** A folder whose entries of these names are nobody's to use, wherever the roots are. `use` is one in it that may be. */
  reserved?: { folder: string; names: RegExp; use: string };
}

/** What is outside the roots is refused in one way, so that an answer tells nothing of what is there. */
export const createPathAccess = ({ roots, reserved }: PathAccessOptions): PathAccess => ({
  async check(path) {
    const real = await realpathOfNearest(resolve(path)).catch(async (error: unknown) => {
      throw roots === undefined || (await within(roots, resolve(path)))
        ? denied('path_unusable', `'${path}' cannot be used: ${(error as Error).message}`, { cause: error })
        : outside(path, roots);
    });
    if (roots !== undefined && !(await within(roots, real))) throw outside(path, roots);
    if (reserved !== undefined) {
      const way = relative(await realpathOfNearest(resolve(reserved.folder)), real);
      if (!way.startsWith('..') && !isAbsolute(way) && reserved.names.test(way.split(sep)[0] as string))
        throw denied(
          'path_reserved',
          `'${path}' belongs to the server: of its data directory ${reserved.folder} batch jobs can neither read nor write the database, the artifacts, the prediction log or its other files. Use another folder, such as ${reserved.use}.`,
        );
    }
    return real;
  },
});

const outside = (path: string, roots: string[]) =>
  denied(
    'path_outside_roots',
    `'${path}' is outside the folders that batch jobs may use (${roots.join(', ') || 'none'}). Put it there, or add a folder with --batch-root (batchRoots, BINNACLE_BATCH_ROOTS).`,
  );

async function within(roots: string[], path: string): Promise<boolean> {
  for (const root of roots) if (isWithin(await realpathOfNearest(resolve(root)), path)) return true;
  return false;
}

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
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    return join(await realpathOfNearest(parent), basename(path));
  }
}
