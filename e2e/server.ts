import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

export interface Running {
  url: string;
  stop(): Promise<void>;
}

/** Starts a command of Binnacle on an empty data directory and waits until it has said its address and `ready`. */
export async function start(args: string[], ready: string): Promise<Running> {
  const data = await mkdtemp(join(tmpdir(), 'binnacle-e2e-'));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'packages/server/src/main.ts'), ...args, '--data', data], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = async () => {
    await end(child);
    await rm(data, { recursive: true, force: true });
  };
  try {
    return { url: await addressOf(child, ready), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An empty server on a free port. */
export const startEmpty = (...args: string[]): Promise<Running> => start(['up', '--port', '0', ...args], 'stop with Ctrl-C');

function addressOf(child: ChildProcess, ready: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const url = /(http:\/\/[^\s/]+)\/ui\//.exec(text)?.[1];
      if (url !== undefined && text.includes(ready)) resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`It ended with ${code} before it was up:\n${text.slice(-4000)}`)));
    setTimeout(() => reject(new Error(`It was not up after four minutes:\n${text.slice(-4000)}`)), 240_000).unref();
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(force);
}
