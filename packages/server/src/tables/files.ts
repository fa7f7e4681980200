import { createHash } from 'node:crypto';
import { glob, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { denied, invalid, notFound, unsupported } from '../kernel/index.ts';
import type { TableFile, TableFormat, TableLocation } from './types.ts';

const ENDINGS: Record<string, TableFormat> = { csv: 'csv', tsv: 'csv', jsonl: 'jsonl', ndjson: 'jsonl', json: 'jsonl', parquet: 'parquet', pq: 'parquet' };

/** The format by a name's ending; text may be compressed (`.csv.gz`). Undefined for other names. */
export function formatOf(name: string): TableFormat | undefined {
  const parts = basename(name).toLowerCase().split('.');
  if (['gz', 'zst'].includes(parts.at(-1) ?? '')) parts.pop();
  return parts.length > 1 ? ENDINGS[parts.at(-1) as string] : undefined;
}

/**
 * The files behind a path, folder (its tables at any depth, but no name that begins with `_` or `.`, as Spark and Hive read folders) or
 * glob, sorted by path. Throws `not_found`, `denied`, or `invalid` when they are of several or unknown formats.
 */
export async function locateTable(location: string, format: TableFormat | 'auto' = 'auto'): Promise<TableLocation> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(location))
    throw unsupported('input_not_local', `'${location}' is not a path on this server. Give a file, a folder or a glob.`);
  if (location.includes('\0')) throw invalid('input_missing', 'The input is no path: it holds a NUL character.');
  if (location.trim() === '') throw invalid('input_missing', 'The input is empty. Give a file, a folder or a glob.');
  const found = [...new Set(await list(resolve(location), format))].sort((a, b) => (a < b ? -1 : 1));
  if (found.length === 0)
    throw notFound('input_not_found', `No table is at '${location}': there is no such file, or the folder or glob holds no CSV, JSON Lines or Parquet file.`);
  const files = await Promise.all(found.map(describe));
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

async function list(path: string, format: TableFormat | 'auto'): Promise<string[]> {
  const status = await statOf(path);
  if (status?.isDirectory()) return walk(path, format);
  if (status !== undefined) return [path];
  if (!/[*?[{]/.test(path)) return [];
  const out: string[] = [];
  for await (const match of glob(path)) if ((await statOf(match))?.isFile()) out.push(match);
  return out;
}

async function walk(dir: string, format: TableFormat | 'auto'): Promise<string[]> {
  const out: string[] = [];
  for (const entry of await readdir(dir).catch((cause: unknown) => refuse(dir, cause))) {
    if (entry.startsWith('_') || entry.startsWith('.')) continue;
    const path = join(dir, entry);
    const status = await statOf(path);
    if (status?.isDirectory()) out.push(...(await walk(path, format)));
    else if (status?.isFile() && (format === 'auto' ? formatOf(entry) !== undefined : (formatOf(entry) ?? format) === format)) out.push(path);
  }
  return out;
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
