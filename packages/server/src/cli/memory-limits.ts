import { availableParallelism } from 'node:os';

/**
 * V8 takes the size of its young generation, and malloc the number of its arenas, only when a process begins; by default each thread lets half
 * a hundred megabytes of short-lived objects lie before it collects them. So a server begins once more, as the same process, with what follows.
 * What the user has set stays.
 */
const FLAGS = ['--max-semi-space-size=8', ...collectors(availableParallelism())];
const ENVIRONMENT = { MALLOC_ARENA_MAX: '2' };
const SERVERS: ReadonlySet<string | undefined> = new Set(['up', 'demo']);

/**
 * V8 marks its heap with four threads beside the main one, on however few cores: there they take the main thread's turns, and requests wait up to 25 ms
 * some seconds apart. It gets as many as there are cores for them.
 */
export function collectors(cores: number): string[] {
  return cores > 4 ? [] : [`--v8-pool-size=${Math.max(1, cores - 1)}`];
}

const given = (flag: string): boolean => {
  const name = flag.slice(0, flag.indexOf('='));
  return [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((text) => text.replaceAll('_', '-').includes(name));
};

/** Returns where nothing is to be done, or it cannot be done: on Windows, and to a process that talks with the one which started it. */
export function beginWithLimits(): void {
  const missing = FLAGS.filter((flag) => !given(flag));
  if (!SERVERS.has(process.argv[2]) || missing.length === 0 || process.platform === 'win32' || process.channel !== undefined) return;
  const argv = [process.execPath, ...missing, ...process.execArgv, ...process.argv.slice(1)];
  try {
    process.execve?.(process.execPath, argv, { ...ENVIRONMENT, ...process.env });
  } catch {
    // A sandbox may forbid it: then it runs without.
  }
}
