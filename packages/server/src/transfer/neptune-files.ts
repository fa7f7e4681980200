import { lstat, readdir } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';

/** A file of the export, or all of a folder. Never outside of the folder of the files, whatever an export says; links are not followed. */
export async function findFiles(files: string, project: string, path: string): Promise<{ file: string; name: string }[] | undefined> {
  const root = resolve(files);
  for (const candidate of [resolve(root, project, path), resolve(root, path)]) {
    if (!candidate.startsWith(root + sep)) continue;
    const entry = await lstat(candidate).catch(() => undefined);
    if (entry?.isFile()) return [{ file: candidate, name: basename(candidate) }];
    if (!entry?.isDirectory()) continue;
    const inside = await readdir(candidate, { withFileTypes: true, recursive: true });
    return inside
      .filter((item) => item.isFile())
      .map((item) => join(item.parentPath, item.name))
      .sort()
      .map((file) => ({ file, name: relative(candidate, file).split(sep).join('/') }));
  }
  return undefined;
}

export async function* lines(all: Iterable<string>): AsyncIterable<string> {
  for (const line of all) yield `${line}\n`;
}
