import { execFile } from 'node:child_process';
import { isSecret, SECRET_NAMES, withoutCredentials } from './secrets.ts';

const TIMEOUT_MS = 10_000;
const MOST_UNTRACKED = 1000;

export interface GitState {
  commit: string;
  /** null on a detached head. */
  branch: string | null;
  /** Of the remote `origin`, or the only one; without credentials. */
  repoUrl: string | null;
  /** Tracked files differ from the commit. */
  dirty: boolean;
  /** `git diff HEAD` without files that hold secrets; null when there is none, or it is above the limit. */
  diff: Buffer<ArrayBuffer> | null;
  /** Why a diff was not kept. */
  diffLeftOut: string | null;
  /** Changed files that the diff leaves out, because they may hold secrets. */
  diffWithout: string[];
  /** Files that git does not know and does not ignore: their names, the first 1000. */
  untracked: string[];
  root: string;
}

/** Runs git without a shell, hooks, prompts or locks. Undefined when it fails, is not there, takes too long, or says too much. */
function run(cwd: string, argv: string[], maxBuffer: number): Promise<Buffer<ArrayBuffer> | undefined> {
  const safe = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=', '-c', 'core.quotePath=false', '--no-pager'];
  const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
  const options = { cwd, env, timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer, windowsHide: true, encoding: 'buffer' } as const;
  return new Promise((resolve) => {
    try {
      execFile('git', [...safe, ...argv], options, (error, stdout) => resolve(error === null ? (stdout as Buffer<ArrayBuffer>) : undefined));
    } catch {
      resolve(undefined);
    }
  });
}
const git = async (cwd: string, argv: string[], maxBuffer = 16 * 1024 * 1024): Promise<string | undefined> => (await run(cwd, argv, maxBuffer))?.toString();
const names = (list: string | undefined): string[] => (list ?? '').split('\0').filter(Boolean);

/**
 * The state of the repository that a folder is in; undefined when it is in none, nothing is committed, or there is no git.
 * @param most Bytes of a diff that is kept.
 */
export async function readGit(cwd: string, most: number): Promise<GitState | undefined> {
  const commit = (await git(cwd, ['rev-parse', '--verify', 'HEAD']))?.trim();
  const root = (await git(cwd, ['rev-parse', '--show-toplevel']))?.replace(/\r?\n$/, '');
  if (commit === undefined || root === undefined) return undefined;
  const exclude = SECRET_NAMES.flatMap((name) => [name, `${name}/**`]).map((glob) => `:(exclude,top,glob,icase)**/${glob}`);
  const [branch, repoUrl, changed, diff, untracked] = await Promise.all([
    git(cwd, ['symbolic-ref', '--quiet', '--short', 'HEAD']),
    remoteOf(cwd),
    git(root, ['diff', 'HEAD', '--no-ext-diff', '--name-only', '-z']),
    run(root, ['diff', 'HEAD', '--no-ext-diff', '--no-textconv', '--no-color', '--', ':(top)', ...exclude], most),
    git(root, ['ls-files', '--others', '--exclude-standard', '-z']),
  ]);
  return {
    commit,
    branch: branch?.trim() ?? null,
    repoUrl,
    dirty: changed !== undefined && changed !== '',
    diff: diff === undefined || diff.length === 0 ? null : diff,
    diffLeftOut: diff === undefined ? `git did not answer in time, or the diff has more than ${most} bytes` : null,
    diffWithout: names(changed).filter(isSecret),
    untracked: names(untracked).slice(0, MOST_UNTRACKED),
    root,
  };
}

async function remoteOf(cwd: string): Promise<string | null> {
  const remotes = ((await git(cwd, ['remote'])) ?? '').split('\n').filter(Boolean);
  const name = remotes.includes('origin') ? 'origin' : remotes.length === 1 ? remotes[0] : undefined;
  if (name === undefined) return null;
  // As configured: `git remote get-url` would apply insteadOf, where people keep tokens.
  const url = (await git(cwd, ['config', '--get', `remote.${name}.url`]))?.trim();
  return url === undefined || url === '' ? null : withoutCredentials(url);
}
