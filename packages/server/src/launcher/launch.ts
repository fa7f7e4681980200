import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { Launcher } from './launcher.ts';
import type { LaunchOptions, Program, ProgramExit } from './program.ts';

let launcher: Launcher | undefined;

function running(): Launcher {
  if (launcher?.alive !== true) launcher = new Launcher();
  return launcher;
}

/**
 * Starts a program. On Linux a process that forks stops until its page tables are copied, some 40 ms for each gigabyte that it holds; so a small
 * process forks instead, and its pipes come from there (SCM_RIGHTS). Rejects when the program cannot be started.
 */
export function launch(program: string, argv: readonly string[], options: LaunchOptions): Promise<Program> {
  return process.platform === 'linux' ? running().launch(program, argv, options) : direct(program, argv, options);
}

/** Has the launcher ready while this process is still small: starting it is a fork, too. */
export function prepareLauncher(): void {
  if (process.platform === 'linux') running();
}

/** As `launch`, but from this process. */
export async function direct(program: string, argv: readonly string[], { env, cwd, detached = false, stdio }: LaunchOptions): Promise<Program> {
  const child = spawn(program, argv, { env, detached, stdio: [...stdio], windowsHide: true, ...(cwd === undefined ? {} : { cwd }) });
  const exited = new Promise<ProgramExit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  return {
    pid: child.pid as number,
    pipes: child.stdio.map((pipe) => (pipe as Socket | null)?.on('error', () => {})),
    exited,
    kill: (signal) => void child.kill(signal),
  };
}
