import { messageOf } from '../../kernel/index.ts';
import { closed, launch, type Program } from '../../launcher/index.ts';
import { eachLine } from './lines.ts';

export interface RunOptions {
  cwd?: string;
  env: Record<string, string>;
  onLine(text: string, source: 'stdout' | 'stderr'): void;
  /** Aborted: it is killed with all that it started. */
  signal?: AbortSignal;
}

/** Runs a program to its end; its exit code, or why there is none. */
export async function runProgram(path: string, argv: readonly string[], { cwd, env, onLine, signal }: RunOptions): Promise<number | string> {
  if (isAborted(signal)) return 'it was not started, because nobody waits for it any more';
  let program: Program;
  try {
    program = await launch(path, argv, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    return messageOf(error);
  }
  const kill = (): void => void killGroup(program.pid, 'SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  // It may have been aborted during the start.
  if (isAborted(signal)) kill();
  eachLine(program.pipes[1], (line) => onLine(line, 'stdout'));
  eachLine(program.pipes[2], (line) => onLine(line, 'stderr'));
  const { code, signal: killedBy } = await closed(program);
  signal?.removeEventListener('abort', kill);
  return code ?? `it was killed by ${killedBy}`;
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

/** A group that is gone already is none to complain of. */
export function killGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
