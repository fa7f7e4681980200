import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Which cores a process may use. With taskset and at least two cores, a server has core 0 and its client core 1, so that neither starves the other. */
export const SERVER = '0';
export const CLIENT = '1';
export const ALL = `0-${availableParallelism() - 1}`;

export const canPin = availableParallelism() >= 2 && spawnSync('taskset', ['--version']).status === 0;

/** The command line that starts a program on some cores; unchanged where pinning is not possible. */
export const pinned = (cores: string, program: string, args: string[]): [string, string[]] =>
  canPin ? ['taskset', ['-c', cores, program, ...args]] : [program, args];

/** Moves this process, the client of most benchmarks, with all its threads. */
export function pinSelf(cores: string): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', cores, String(process.pid)], { stdio: 'ignore' });
}
