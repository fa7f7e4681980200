import { createHash } from 'node:crypto';
import { type Dirent, statSync } from 'node:fs';
import { glob, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { denied, invalid, notFound, unsupported } from '../kernel/index.ts';
import { isWithin } from './path-access.ts';
import type { TableFile, TableFormat, TableLocation } from './types.ts';

const ENDINGS: Record<string, TableFormat> = { csv: 'csv', tsv: 'csv', jsonl: 'jsonl', ndjson: 'jsonl', json: 'jsonl', parquet: 'parquet', pq: 'parquet' };

/** The format by a name's ending; text may be compressed (`.csv.gz`). Undefined for other names. */
export function formatOf(name: string): TableFormat | undefined {
  const parts = basename(name).toLowerCase().split('.');
  if (['gz', 'zst'].includes(parts.at(-1) ?? '')) parts.pop();
  return parts.length > 1 ? ENDINGS[parts.at(-1) as string] : undefined;
}

/** Files of one table; an input of more is rather a mistake than a table. */
const MAX_FILES = 100_000;
/** Names looked at while they are searched for. */
const MAX_NAMES = 1_000_000;
const GLOB = /[*?[{]/;
/** `..` as a whole name, within braces too. */
const PARENT = /(^|[\\/,{(|])\.\.($|[\\/,})|])/;

/**
 * The folder or file that everything behind a location is in: the path up to its first glob character. Nothing is looked at. Throws
 * `invalid` or `unsupported` for what is no location at all.
 */
export function staticPrefix(location: string): string {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(location))
    throw unsupported('input_not_local', `'${location}' is not a path on this server. Give a file, a folder or a glob.`);
  if (location.includes('\0')) throw invalid('input_missing', 'The input is no path: it holds a NUL character.');
  if (location.trim() === '') throw invalid('input_missing', 'The input is empty. Give a file, a folder or a glob.');
  const path = resolve(location);
  const at = path.search(GLOB);
  if (at < 0) return path;
  if (PARENT.test(path.slice(at)))
    throw invalid('input_glob', `The glob '${location}' holds '..' after its first wildcard. Begin with the folder that you mean.`);
  return dirname(path.slice(0, at + 1));
}

/**
 * The files behind a path, folder (its tables at any depth, but no name that begins with `_` or `.`, as Spark and Hive read folders, and no
 * link to a folder) or glob, sorted by path. Throws `not_found`, `denied`, or `invalid` when they are too many, or of several or unknown formats.
 */
export async function locateTable(location: string, format: TableFormat | 'auto' = 'auto', limits: Partial<SearchLimits> = {}): Promise<TableLocation> {
  staticPrefix(location);
  const found = [...new Set(await new Search(location, format, limits).list())].sort((a, b) => (a < b ? -1 : 1));
  if (found.length === 0)
    throw notFound('input_not_found', `No table is at '${location}': there is no such file, or the folder or glob holds no CSV, JSON Lines or Parquet file.`);
  const files: TableFile[] = [];
  for (let i = 0; i < found.length; i += 100) files.push(...(await Promise.all(found.slice(i, i + 100).map(describe))));
  const formats = new Set(format === 'auto' ? files.map(({ path }) => formatOf(path)) : [format]);
  if (formats.size > 1)
    throw invalid(
      'input_formats_mixed',
      `'${location}' holds files of several formats (${[...formats].map((f) => f ?? 'unknown').join(', ')}). Narrow it by a glob, or name the format.`,
    );
  const [only] = formats;
  if (only === undefined) throw invalid('input_format_unknown', `The format of '${location}' does not show in its name. Say which: csv, jsonl or parquet.`);
  return { format: only, files };
}

interface SearchLimits {
  files: number;
  names: number;
}

class Search {
  readonly #location: string;
  readonly #format: TableFormat | 'auto';
  readonly #limits: SearchLimits;
  readonly #found: string[] = [];
  #names = 0;

  constructor(location: string, format: TableFormat | 'auto', limits: Partial<SearchLimits>) {
    this.#location = location;
    this.#format = format;
    this.#limits = { files: MAX_FILES, names: MAX_NAMES, ...limits };
  }

  async list(): Promise<string[]> {
    const path = resolve(this.#location);
    const status = await statOf(path);
    if (status?.isDirectory()) await this.#walk(path);
    else if (status !== undefined) return [path];
    else if (GLOB.test(path)) await this.#glob(path);
    return this.#found;
  }

  async #walk(dir: string): Promise<void> {
    const entries = await readdir(dir, { withFileTypes: true }).catch((cause: unknown) => refuse(dir, cause));
    for (const entry of entries) {
      this.#see();
      if (entry.name.startsWith('_') || entry.name.startsWith('.')) continue;
      const path = join(dir, entry.name);
      if (entry.isDirectory()) await this.#walk(path);
      else if (this.#wants(entry.name) && (await statOf(path))?.isFile()) this.#add(path);
    }
  }

  #wants(name: string): boolean {
    return this.#format === 'auto' ? formatOf(name) !== undefined : (formatOf(name) ?? this.#format) === this.#format;
  }

  async #glob(path: string): Promise<void> {
    // The folder that was named may be a link; those that are met on the way are not followed, and braces (`{.,}.`) do not lead out of it.
    const folder = staticPrefix(path);
    const exclude = (entry: Dirent): boolean => {
      this.#see();
      const entryPath = join(entry.parentPath, entry.name);
      return !isWithin(folder, entryPath) || (entry.isSymbolicLink() && isFolder(entryPath));
    };
    for await (const match of glob(relative(folder, path), { cwd: folder, withFileTypes: true, exclude })) {
      const file = join(match.parentPath, match.name);
      if (isWithin(folder, file) && (await statOf(file))?.isFile()) this.#add(file);
    }
  }

  #see(): void {
    if (++this.#names > this.#limits.names) throw this.#tooMany(`${this.#limits.names} names`);
  }

  #add(path: string): void {
    if (this.#found.push(path) > this.#limits.files) throw this.#tooMany(`${this.#limits.files} tables`);
  }

  #tooMany(what: string): Error {
    return invalid('input_too_many_files', `More than ${what} are behind '${this.#location}'. Narrow it: name a folder below, or a glob.`);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

async function statOf(path: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  try {
    return await stat(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    return refuse(path, cause);
  }
}

async function describe(path: string): Promise<TableFile> {
  const status = await stat(path);
  return { path: await realpath(path), bytes: status.size, modifiedAt: Math.floor(status.mtimeMs) };
}

function refuse(path: string, cause: unknown): never {
  throw denied('input_denied', `'${path}' cannot be read: ${(cause as Error).message}`, { cause });
}

/** Changes when a file is added, removed, or written to. Hex. */
export function fingerprintOf(location: TableLocation): string {
  const hash = createHash('sha256').update(location.format);
  for (const file of location.files) hash.update(`\0${file.path}\0${file.bytes}\0${file.modifiedAt}`);
  return hash.digest('hex');
}
