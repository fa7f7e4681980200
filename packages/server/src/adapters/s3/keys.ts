import { invalid } from '../../kernel/index.ts';

/** The checksums of objects that could not carry them (see checksums.ts); hidden from every caller. `.uploads` is another store's own, refused everywhere. */
export const CHECKSUMS = '.checksums';
const OWN = ['.uploads', CHECKSUMS];

export const isOwn = (path: string): boolean => OWN.includes(path.split('/')[0] ?? '');

/** Checks a path once more (the room has done so): what cannot be a file of a folder cannot be one here. */
export function checkPath(path: string, options: { allowRoot?: boolean } = {}): string {
  const segments = path === '' ? [] : path.split('/');
  if (segments.some((s) => s === '' || s === '.' || s === '..' || s.includes('\0') || s.includes('\\')) || isOwn(path))
    throw invalid('artifact_path_invalid', `Invalid path: ${JSON.stringify(path)} cannot name an artifact.`);
  if (segments.length === 0 && options.allowRoot !== true)
    throw invalid('artifact_path_invalid', 'Invalid path: the root of the artifact store cannot be written, deleted or copied.');
  return path;
}

/** `a`, `a/b` of `a/b/c`. */
export const parentsOf = (path: string): string[] =>
  path
    .split('/')
    .slice(0, -1)
    .map((_, i, all) => all.slice(0, i + 1).join('/'));
