import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createEnvironments } from '../../src/adapters/process/index.ts';
import type { Software } from '../../src/compute/index.ts';
import { until } from '../support/serving.ts';

/** Stands in for uv, so that nothing is fetched: `venv` makes a folder with a program, `pip` leaves a daemon behind that holds the pipes. */
const UV = `#!/bin/sh
if [ "$1" = venv ]; then for dir; do :; done; mkdir -p "$dir/bin"; cp /bin/true "$dir/bin/python"; exit 0; fi
setsid sleep 300 &
echo "daemon $! mark $BINNACLE_SERVICE"
exit CODE
`;

let dir: string;
let lines: string[];
const path = process.env.PATH;
const onLine = (text: string) => void lines.push(text);
const software: Software = { kind: 'python', python: null, requirements: 'a\n', constraints: null };
const root = () => join(dir, 'environments');
const uv = (code: number) => {
  writeFileSync(join(dir, 'uv'), UV.replace('CODE', `${code}`));
  chmodSync(join(dir, 'uv'), 0o755);
};
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'binnacle-builds-'));
  lines = [];
  process.env.PATH = `${dir}:${path}`;
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(dir, { recursive: true, force: true });
});

it('does not wait for a daemon that a build leaves behind, and ends it', async () => {
  uv(0);
  const python = await createEnvironments({ root: root() }).pythonOf(software, onLine);
  const [, pid, mark] = /^daemon (\d+) mark ([0-9a-f]{32})$/m.exec(lines.join('\n')) ?? [];
  expect(existsSync(python)).toBe(true);
  // The folder's name tells a next start by which mark to find what is left of the build.
  const link = readdirSync(root()).find((name) => /^[0-9a-f]{32}$/.test(name)) ?? '';
  expect(readlinkSync(join(root(), link))).toBe(`${link}.${mark}`);
  await until(() => !alive(Number(pid)));
  expect(await createEnvironments({ root: root() }).sweep()).toBe(0);
  expect(existsSync(python)).toBe(true);
});

it('leaves nothing of a build that fails', async () => {
  uv(3);
  await expect(createEnvironments({ root: root() }).pythonOf(software, onLine)).rejects.toMatchObject({ code: 'environment_failed' });
  expect(readdirSync(root()).filter((name) => !name.startsWith('.'))).toEqual([]);
});

it('ends the build that a killed process left running, and removes what it made', async () => {
  const [digest, id, done] = ['a', 'b', 'c'].map((letter) => letter.repeat(32)) as [string, string, string];
  mkdirSync(join(root(), `${digest}.${id}`), { recursive: true });
  mkdirSync(join(root(), `${digest}.${done}`));
  symlinkSync(`${digest}.${done}`, join(root(), digest));
  const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore', env: { BINNACLE_SERVICE: id } });
  try {
    const ended = new Promise((resolve) => left.once('exit', (_code, signal) => resolve(signal)));
    expect(await createEnvironments({ root: root() }).sweep()).toBe(1);
    expect(await ended).toBe('SIGTERM');
    expect(readdirSync(root()).sort()).toEqual([digest, `${digest}.${done}`]);
  } finally {
    left.kill('SIGKILL');
  }
});

it('ends a build that nobody waits for any more, and leaves nothing of it', async () => {
  writeFileSync(join(dir, 'uv'), '#!/bin/sh\n[ "$1" = venv ] && exit 0\nsleep 300 &\necho "daemon $! mark $BINNACLE_SERVICE"\nwait\n');
  chmodSync(join(dir, 'uv'), 0o755);
  const environments = createEnvironments({ root: root() });
  const [first, second] = [new AbortController(), new AbortController()];
  const builds = [first, second].map(({ signal }) => environments.pythonOf(software, onLine, signal));
  const ended = Promise.allSettled(builds);
  await until(() => lines.some((line) => line.startsWith('daemon ')));
  const pid = Number(/^daemon (\d+)/m.exec(lines.join('\n'))?.[1]);
  first.abort();
  await expect(builds[0]).rejects.toMatchObject({ code: 'given_up' });
  expect(alive(pid)).toBe(true);
  second.abort();
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await until(() => !alive(pid) && readdirSync(root()).filter((name) => !name.startsWith('.')).length === 0);
  await environments.close();
});
