import { userInfo } from 'node:os';
import { dirname, relative, sep } from 'node:path';
import { type Dependencies, entryScript, readDependencies, readSources, type SourceFile } from './files.ts';
import { type GitState, readGit } from './git.ts';

export interface SourceOptions {
  /** Commit, branch, remote and the uncommitted diff. Default: true. */
  git?: boolean;
  /** The script that was started. Default: true. */
  entry?: boolean;
  /** Further files, as globs from the current folder: `['src/**\/*.ts']`. */
  files?: readonly string[];
  /** Installed versions of what package.json asks for, and the hash of the lock file. Default: true. */
  dependencies?: boolean;
  /** Bytes of a diff that is kept. Default: 1 MiB. */
  maxDiffBytes?: number;
}

export interface Captured {
  tags: Record<string, string>;
  /** By their path among the run's artifacts. */
  artifacts: { path: string; content: string | Uint8Array<ArrayBuffer> }[];
}

const FOLDER = 'source';
const MAX_DIFF_BYTES = 1024 * 1024;

/** The tags that MLflow's client sets at once. */
export function sourceTags(): Record<string, string> {
  const entry = entryScript();
  const user = userName();
  return {
    'mlflow.source.type': 'LOCAL',
    'mlflow.source.name': entry === undefined ? '<console>' : shown(entry),
    ...(user === undefined ? {} : { 'mlflow.user': user }),
  };
}

export function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number without a name.
    return undefined;
  }
}

/** As it would be typed here; a file elsewhere by its whole path. */
function shown(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path;
}

/**
 * Looks at what runs: git, the entry script and given files, the packages. Whatever is not there is left out; nothing throws. The environment is
 * never read, and files whose names tell of secrets never leave.
 */
export async function captureSource(options: SourceOptions): Promise<Captured> {
  const entry = entryScript();
  const cwd = process.cwd();
  const from = entry === undefined ? cwd : dirname(entry);
  const git = options.git === false ? undefined : await quietly(readGit(from, options.maxDiffBytes ?? MAX_DIFF_BYTES));
  const root = git?.root ?? (entry === undefined || !relative(cwd, entry).startsWith('..') ? cwd : from);
  const sources = await quietly(readSources(root, options.entry === false ? undefined : entry, options.files ?? [], cwd));
  const dependencies = options.dependencies === false ? undefined : await quietly(readDependencies(from));
  const state = {
    entry: entry === undefined ? null : slashed(relative(root, entry)),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    git: git === undefined ? null : withoutDiff(git),
    files: sources?.files.map(({ path }) => path) ?? [],
    leftOut: sources?.leftOut ?? [],
    dependencies: dependencies === undefined ? null : named(dependencies, root),
  };
  const artifacts: Captured['artifacts'] = [{ path: `${FOLDER}/state.json`, content: `${JSON.stringify(state, null, 2)}\n` }];
  if (git?.diff) artifacts.push({ path: `${FOLDER}/uncommitted.diff`, content: git.diff });
  for (const { path, content } of sources?.files ?? ([] as SourceFile[])) artifacts.push({ path: `${FOLDER}/${path}`, content });
  return { tags: git === undefined ? {} : gitTags(git), artifacts };
}

const gitTags = ({ commit, branch, repoUrl, dirty }: GitState): Record<string, string> => ({
  'mlflow.source.git.commit': commit,
  'mlflow.source.git.dirty': String(dirty),
  ...(branch === null ? {} : { 'mlflow.source.git.branch': branch }),
  ...(repoUrl === null ? {} : { 'mlflow.source.git.repoURL': repoUrl }),
});

function withoutDiff({ diff, ...git }: GitState) {
  // Where it lies on this machine is nobody's business.
  return { ...git, root: undefined, diffBytes: diff?.length ?? 0 };
}

const slashed = (path: string): string => path.split(sep).join('/');
const named = ({ manifest, installed, lockfile }: Dependencies, root: string) => ({
  manifest: slashed(relative(root, manifest)),
  installed,
  lockfile: lockfile === null ? null : { ...lockfile, path: slashed(relative(root, lockfile.path)) },
});

async function quietly<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch {
    return undefined;
  }
}
