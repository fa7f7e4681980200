import { createReadStream, existsSync } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { isElsewhere, proxiedPath } from '../artifacts/index.ts';
import type { FileOwner, SourceFile } from './mlflow-source.port.ts';

/**
 * The files of a run or logged model in a folder of this machine. `beside` are folders that an artifact proxy may have kept its files in; `moved` is where the
 * files are now, when they are not where they were; a path that is not absolute is looked for in `relativeTo`, first where the database is. Only a folder that is the owner's own (`…/<id>/…`) is read, whatever the URI says, and links are not followed.
 */
export async function localFiles(
  { id, uri }: FileOwner,
  places: { moved: string | null; beside: string[]; relativeTo: string[] },
): Promise<{ files: SourceFile[] } | { unreadable: string; elsewhere: boolean }> {
  if (isElsewhere(uri)) return { unreadable: `${uri} is in another store`, elsewhere: true };
  const folders = candidates(uri, id, places);
  if (!folders.some((folder) => folder.split(sep).includes(id)))
    return { unreadable: `${uri} is not a folder of its own, and so was not read`, elsewhere: false };
  for (const folder of folders) {
    if (!folder.split(sep).includes(id) || !(await isFolder(folder))) continue;
    return { files: await filesIn(folder) };
  }
  // A run that never had a file has no folder, and the store that it would be in is there all the same; unless nothing ever had a file.
  const stores = folders.map((folder) => dirname(above(folder, id)));
  const own = uri.startsWith('mlflow-artifacts:') ? undefined : places.relativeTo[0];
  if (stores.some((store) => existsSync(store) || dirname(store) === own)) return { files: [] };
  return { unreadable: `${uri} is not on this machine; --artifacts says where the files are now`, elsewhere: false };
}

function candidates(uri: string, id: string, { moved, beside, relativeTo }: { moved: string | null; beside: string[]; relativeTo: string[] }): string[] {
  const proxied = proxiedPath(uri);
  if (proxied !== undefined) return (moved === null ? beside : [moved]).map((root) => inside(root, proxied)).filter((folder) => folder !== undefined);
  const path = /^file:/i.test(uri) ? decode(uri.replace(/^file:(\/\/[^/]*)?/i, '')) : uri;
  const here = isAbsolute(path) ? [resolve(path)] : relativeTo.map((root) => resolve(root, path));
  if (moved === null) return here;
  // <experiment>/<id>/artifacts, or <experiment>/models/<id>/artifacts, wherever that folder was.
  const parts = path.split(/[\\/]+/);
  const at = parts.lastIndexOf(id);
  const first = at - (parts[at - 1] === 'models' ? 2 : 1);
  const tails = at < 1 ? [] : [parts.slice(Math.max(first, 0)).join('/')];
  return [...tails.map((tail) => inside(moved, tail)).filter((folder) => folder !== undefined), ...here];
}

function inside(root: string, path: string): string | undefined {
  const folder = resolve(root, path);
  return folder.startsWith(resolve(root) + sep) ? folder : undefined;
}

/** The folder that holds the owner's own. */
function above(folder: string, id: string): string {
  const parts = folder.split(sep);
  const parent = parts.slice(0, parts.lastIndexOf(id));
  return parent.at(-1) === 'models' ? parent.slice(0, -1).join(sep) : parent.join(sep);
}

const decode = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

const isFolder = async (path: string): Promise<boolean> =>
  lstat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );

async function filesIn(root: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of await opendir(folder)) {
      const full = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(full);
      else if (entry.isFile())
        files.push({
          path: relative(root, full).split(sep).join('/'),
          size: (await lstat(full)).size,
          open: async () => createReadStream(full),
        });
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
