import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../../../.cache/', import.meta.url));

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface PythonServer {
  stop(): Promise<void>;
}

/** A program of one of the Python environments in .cache, over files of its own; resolves when `ready` answers 200. */
export async function pythonServer(options: {
  environment: 'venv' | 'venv-mlserver';
  program: string;
  args: (dir: string) => string[];
  files: Record<string, string>;
  /** A Python program that is run before, in the folder. */
  prepare?: string;
  ready: string;
}): Promise<PythonServer> {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-python-'));
  const bin = join(cache, options.environment, 'bin');
  for (const [name, text] of Object.entries(options.files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  const log = join(dir, 'server.log');
  const out = createWriteStream(log);
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
    PYTHONPATH: dir,
    GIT_PYTHON_REFRESH: 'quiet',
    MLFLOW_TRACKING_URI: `sqlite:///${dir}/mlflow.db`,
  };
  const run = (command: string, args: string[]) => {
    // A group of its own: these servers have workers, which outlive a parent that is killed.
    const child = spawn(command, args, { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    child.stdout.pipe(out, { end: false });
    child.stderr.pipe(out, { end: false });
    return { child, exited: new Promise<number | null>((resolve) => child.once('exit', resolve)) };
  };
  if (options.prepare !== undefined) {
    const code = await run(join(bin, 'python'), ['-c', options.prepare]).exited;
    if (code !== 0) throw new Error(`The preparation failed:\n${readFileSync(log, 'utf8').slice(-3000)}`);
  }
  const { child, exited } = run(join(bin, options.program), options.args(dir));
  const signal = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // Gone already.
    }
  };
  const answers = async (): Promise<boolean> => (await fetch(options.ready).catch(() => undefined))?.status === 200;
  for (const end = Date.now() + 90_000; !(await answers()); await new Promise((resolve) => setTimeout(resolve, 200))) {
    if (child.exitCode !== null || Date.now() > end) {
      signal('SIGKILL');
      throw new Error(`The server did not start:\n${readFileSync(log, 'utf8').slice(-3000)}`);
    }
  }
  return {
    async stop() {
      signal('SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), 5000);
      await exited;
      clearTimeout(timer);
      signal('SIGKILL');
    },
  };
}
