import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningServer {
  url: string;
  dataDir: string;
  pid: number;
  stderr: () => string;
  /** SIGTERM, or the signal given; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

// Tests must not inherit the developer's own settings.
const environment = (extra: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BINNACLE_') && !name.startsWith('MLFLOW_') && name !== 'PORT')),
  NO_COLOR: '1',
  ...extra,
});

export const temporaryFolder = (name = 'data'): string => mkdtempSync(join(tmpdir(), `binnacle-${name}-`));

const launch = (args: string[], options: SpawnOptions & { env?: Record<string, string> } = {}): ChildProcess =>
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
    ...options,
    env: environment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });

/** Runs a command of the command line to its end. */
export async function binnacle(args: string[], options: SpawnOptions & { env?: Record<string, string>; input?: string } = {}): Promise<CommandResult> {
  const child = launch(args, options);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()));
  child.stdin?.end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Starts a server on a free port and waits until it says where it is. */
export async function startServer(options: { data?: string; args?: string[]; env?: Record<string, string> } = {}): Promise<RunningServer> {
  const dataDir = options.data ?? temporaryFolder();
  const child = launch(['up', '--data', dataDir, '--port', '0', ...(options.args ?? [])], options.env === undefined ? {} : { env: options.env });
  let stderr = '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
    const found = /interface\s+(http:\/\/\S+)\/ui\//.exec(stderr);
    if (found?.[1] !== undefined) resolve(found[1]);
  });
  child.stdout?.resume();
  child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${stderr}`)));
  const url = await promise;
  return {
    url,
    dataDir,
    pid: child.pid ?? 0,
    stderr: () => stderr,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill(signal);
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    },
  };
}
