import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { glob, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { isSecret } from './secrets.ts';

/** Bytes of a source file, and of all together. */
const MOST_BYTES = 1024 * 1024;
const MOST_ALL = 16 * 1024 * 1024;
const MOST_FILES = 1000;
const NOT_SOURCE: ReadonlySet<string> = new Set(['node_modules', '.git']);

export interface SourceFile {
  /** Relative to the root, with slashes. */
  path: string;
  content: Uint8Array<ArrayBuffer>;
}
export interface LeftOut {
  path: string;
  why: string;
}

/** The script that was started; undefined for a REPL, `node -e`, or a tool from node_modules. */
export function entryScript(argument = process.argv[1]): string | undefined {
  if (argument === undefined || !existsSync(argument)) return undefined;
  return argument.split(sep).includes('node_modules') ? undefined : resolve(argument);
}

/** Reads the entry script and what the globs name, below `root`; secrets, and what is too large, are left out and said. */
export async function readSources(root: string, entry: string | undefined, globs: readonly string[], cwd: string) {
  const files = new Map<string, SourceFile>();
  const leftOut: LeftOut[] = [];
  let bytes = 0;
  const top = await realpath(root);
  const add = async (file: string): Promise<void> => {
    const real = await realpath(file);
    const path = relative(top, real).split(sep).join('/');
    if (files.has(path) || !(await stat(real)).isFile()) return;
    const parts = path.split('/');
    if (parts.some((part) => NOT_SOURCE.has(part))) return;
    const { size } = await stat(real);
    const why =
      isAbsolute(path) || parts[0] === '..'
        ? 'lies outside the project'
        : isSecret(path)
          ? 'may hold secrets'
          : size > MOST_BYTES
            ? `has more than ${MOST_BYTES} bytes`
            : files.size >= MOST_FILES || bytes + size > MOST_ALL
              ? 'too many files'
              : undefined;
    if (why !== undefined) return void leftOut.push({ path, why });
    bytes += size;
    files.set(path, { path, content: new Uint8Array(await readFile(real)) });
  };
  if (entry !== undefined) await add(entry).catch(() => {});
  for (const pattern of globs) {
    try {
      for await (const name of glob(pattern, { cwd, exclude: (one) => NOT_SOURCE.has(basename(one)) })) {
        if (leftOut.length >= MOST_FILES) break;
        await add(resolve(cwd, name)).catch(() => {});
      }
    } catch (error) {
      leftOut.push({ path: pattern, why: (error as Error).message });
    }
  }
  return { files: [...files.values()], leftOut };
}

export interface Dependencies {
  /** The nearest package.json, and what it asks for: the versions that are installed. */
  manifest: string;
  installed: Record<string, string>;
  lockfile: { path: string; sha256: string } | null;
}
const LOCKFILES = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'deno.lock'];

const nearest = (from: string, names: readonly string[]): string | undefined => {
  for (let folder = from; ; folder = dirname(folder)) {
    for (const name of names) if (existsSync(join(folder, name))) return join(folder, name);
    if (folder === parse(folder).root) return undefined;
  }
};

/** What a folder's package depends on; undefined without a package.json. */
export async function readDependencies(from: string): Promise<Dependencies | undefined> {
  const manifest = nearest(from, ['package.json']);
  if (manifest === undefined) return undefined;
  const asked = JSON.parse(await readFile(manifest, 'utf8')) as Record<string, Record<string, string> | undefined>;
  const installed: Record<string, string> = {};
  for (const name of Object.keys({ ...asked['dependencies'], ...asked['devDependencies'], ...asked['optionalDependencies'] }).sort()) {
    const found = nearest(dirname(manifest), [join('node_modules', name, 'package.json')]);
    if (found === undefined) continue;
    const { version } = JSON.parse(await readFile(found, 'utf8')) as { version?: string };
    installed[name] = version ?? '';
  }
  const lock = nearest(dirname(manifest), LOCKFILES);
  return { manifest, installed, lockfile: lock === undefined ? null : { path: lock, sha256: await sha256Of(lock) } };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
