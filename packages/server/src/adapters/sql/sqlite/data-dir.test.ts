import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isLocked, lockDataDir } from './data-dir.ts';

it('a second owner is told who holds the directory', () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-lock-'));
  const lock = lockDataDir(dir);
  lock.announce('http://127.0.0.1:4711');
  expect(() => lockDataDir(dir)).toThrow(`process id ${process.pid} at http://127.0.0.1:4711`);
  expect(isLocked(dir)).toBe(true);
  lock.release();
  expect(isLocked(dir)).toBe(false);
  lockDataDir(dir).release();
});

it('the lock of a killed process is free at once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-lock-'));
  const script = `const { lockDataDir } = await import(${JSON.stringify(new URL('./data-dir.ts', import.meta.url).href)}); lockDataDir(${JSON.stringify(dir)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(isLocked(dir)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isLocked(dir)).toBe(false);
});

it('a file where the directory should be is a clear error', () => {
  expect(() => lockDataDir('/dev/null/data')).toThrow('/dev/null/data cannot be written (ENOTDIR)');
});
