import type { Socket } from 'node:net';

export interface LaunchOptions {
  /** All of its environment: nothing is inherited. */
  env: Record<string, string>;
  cwd?: string | undefined;
  /** A process group of its own, whose number is its process id. */
  detached?: boolean | undefined;
  /** By file descriptor. A pipe goes both ways. */
  stdio: readonly ('ignore' | 'pipe')[];
}

export interface ProgramExit {
  /** Null when a signal has ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A program that has been started. */
export interface Program {
  readonly pid: number;
  /** Our ends of its pipes, by file descriptor; undefined where there is none. One that breaks is closed, and that is all it says. */
  readonly pipes: readonly (Socket | undefined)[];
  /** Its end; never rejects. What it wrote may still be on its way. */
  readonly exited: Promise<ProgramExit>;
  /** Nothing when it has ended already. */
  kill(signal: NodeJS.Signals): void;
}

/** What a program started may hold its pipes after its own end, a daemon for ever; they are closed after this. */
const GRACE_MS = 500;

/** Its end, once all that it wrote has been read. */
export async function closed({ pipes, exited }: Program): Promise<ProgramExit> {
  const all = pipes.filter((pipe) => pipe !== undefined);
  const ends = all.map((pipe) => new Promise<void>((resolve) => (pipe.closed ? resolve() : pipe.once('close', () => resolve()))));
  const exit = await exited;
  // Nobody reads from it, so nobody would see its end.
  for (const pipe of all) if (pipe.listenerCount('data') === 0) pipe.resume();
  const late = setTimeout(() => all.forEach((pipe) => pipe.destroy()), GRACE_MS);
  await Promise.all(ends);
  clearTimeout(late);
  return exit;
}
