import type { LaunchOptions, ProgramExit } from './program.ts';

/** To the launcher: start this. */
export interface LaunchRequest {
  id: number;
  program: string;
  argv: readonly string[];
  options: LaunchOptions;
}

/** From it, of one request in this order: each pipe with its socket, then that it is started (or why not), then its end. */
export type LauncherMessage = { id: number } & ({ pipe: number } | { pid: number } | { error: string; code: string | undefined } | { exit: ProgramExit });
