import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../../kernel/index.ts';
import { MAX_CONFIG_BYTES } from './model-config.ts';

/** A model's folder as it was found: `<name>/[config.pbtxt]`, `<name>/<version>/…`. */
export interface FoundModel {
  name: string;
  dir: string;
  /** Text of its config.pbtxt; undefined: it has none. */
  config: string | undefined;
  /** Ascending. */
  versions: FoundVersion[];
  /** Changes with every file of the model. */
  fingerprint: string;
}

export interface FoundVersion {
  version: number;
  dir: string;
  fingerprint: string;
}

const VERSION = /^[1-9]\d{0,8}$/;
/** A model of more files than this is a folder put there by mistake. */
const MAX_FILES = 20_000;
const MAX_DEPTH = 16;

/** Folders of a repository that may be models; links are followed, as Triton does. Throws `invalid` for a repository that cannot be read. */
export async function modelNames(repository: string): Promise<string[]> {
  try {
    const names = (await readdir(repository)).filter((name) => !name.startsWith('.'));
    const folders = await Promise.all(names.map(async (name) => ((await isFolder(join(repository, name))) ? name : undefined)));
    return folders.filter((name) => name !== undefined).sort();
  } catch (cause) {
    throw invalid('repository_unreadable', `the model repository ${repository} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** Looks at one model's folder; null when there is none. */
export async function findModel(repository: string, name: string): Promise<FoundModel | null> {
  const dir = join(repository, name);
  if (!(await isFolder(dir))) return null;
  const entries = await readdir(dir);
  const versions: FoundVersion[] = [];
  const top = createHash('sha256');
  const budget = { files: MAX_FILES };
  let config: string | undefined;
  for (const entry of entries.sort()) {
    const path = join(dir, entry);
    const hash = createHash('sha256');
    if (VERSION.test(entry) && (await isFolder(path))) {
      await mark(path, '', hash, budget, 0);
      versions.push({ version: Number(entry), dir: path, fingerprint: hash.digest('hex') });
    } else if (entry === 'config.pbtxt') {
      const info = await stat(path);
      if (info.size > MAX_CONFIG_BYTES) throw invalid('invalid_model_config', `${path} is longer than ${MAX_CONFIG_BYTES} bytes`);
      config = await readFile(path, 'utf8');
      top.update(config);
    } else {
      await mark(path, entry, top, budget, 0);
    }
  }
  versions.sort((a, b) => a.version - b.version);
  const shared = top.digest('hex');
  for (const version of versions) version.fingerprint = createHash('sha256').update(shared).update(version.fingerprint).digest('hex').slice(0, 32);
  const fingerprint = [shared, ...versions.map(({ version, fingerprint: of }) => `${version}:${of}`)].join(' ');
  return { name, dir, config, versions, fingerprint };
}

/** Names, sizes and times of all files below a path. */
async function mark(path: string, name: string, hash: ReturnType<typeof createHash>, budget: { files: number }, depth: number): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return;
  if (--budget.files < 0 || depth > MAX_DEPTH)
    throw invalid('model_folder_too_large', `${path} belongs to a model of more than ${MAX_FILES} files, or too deep a folder`);
  if (info.isDirectory()) {
    for (const entry of (await readdir(path)).sort()) await mark(join(path, entry), `${name}/${entry}`, hash, budget, depth + 1);
  } else hash.update(`${name}\0${info.size}\0${info.mtimeMs}\0${info.ino}\n`);
}

const isFolder = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** A file that a configuration names, inside a model's folder. Throws `invalid` for a path that leaves it. */
export function insideModel(dir: string, name: string, what: string): string {
  const parts = name.split(/[\\/]/);
  if (
    name === '' ||
    name.startsWith('/') ||
    name.includes('\0') ||
    /^[A-Za-z]:/.test(name) ||
    parts.some((part) => part === '..' || part === '' || part === '.')
  )
    throw invalid('invalid_model_config', `the ${what} '${name.slice(0, 200)}' must be a path inside the model's folder`);
  return join(dir, ...parts);
}
