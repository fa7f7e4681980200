import { spawn } from 'node:child_process';
import { messageOf } from '../../kernel/index.ts';
import { eachLine } from './lines.ts';

export interface RunOptions {
  cwd?: string;
  env: Record<string, string>;
  onLine(text: string, source: 'stdout' | 'stderr'): void;
  /** Aborted: it is killed with all that it started. */
  signal?: AbortSignal;
}

/** How long what a program started may still write after its end: a daemon may hold the pipes for ever. */
const GRACE_MS = 500;

/** Runs a program to its end; its exit code, or why there is none. */
export function runProgram(program: string, argv: readonly string[], { cwd, env, onLine, signal }: RunOptions): Promise<number | string> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve('it was not started, because nobody waits for it any more');
    const child = spawn(program, argv, { ...(cwd === undefined ? {} : { cwd }), env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = (): void => {
      if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL');
    };
    signal?.addEventListener('abort', kill, { once: true });
    eachLine(child.stdout, (line) => onLine(line, 'stdout'));
    eachLine(child.stderr, (line) => onLine(line, 'stderr'));
    child.once('error', (error) => resolve(messageOf(error)));
    child.once('exit', () => {
      const late = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, GRACE_MS);
      child.once('close', () => clearTimeout(late));
    });
    child.once('close', (code, killedBy) => {
      signal?.removeEventListener('abort', kill);
      resolve(code ?? `it was killed by ${killedBy}`);
    });
  });
}

/** A group that is gone already is none to complain of. */
export function killGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
