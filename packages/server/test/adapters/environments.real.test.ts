import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createEnvironments } from '../../src/adapters/process/index.ts';
import type { Software } from '../../src/compute/index.ts';

/** A wheel that can be installed without any index. */
const MAKE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('tiny.py', 'VALUE = 42')
    wheel.writestr('tiny-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n')
    wheel.writestr('tiny-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('tiny-1.0.dist-info/RECORD', '')
`;

let dir: string;
let lines: string[];
const onLine = (text: string, source: string) => lines.push(`${source}: ${text}`);
const software = (requirements: string, python: string | null = null): Software => ({ kind: 'python', python, requirements, constraints: null });
const wheel = () => join(dir, 'tiny-1.0-py3-none-any.whl');
const root = () => join(dir, 'environments');
const environments = (options = {}) => createEnvironments({ root: root(), passEnv: ['PIP_NO_INDEX'], ...options });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'binnacle-environments-'));
  lines = [];
  process.env.PIP_NO_INDEX = '1';
  execFileSync('python3', ['-c', MAKE_WHEEL, wheel()]);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('builds an environment a set of requirements, once however many ask, and finds it again', async () => {
  const one = environments();
  const [first, second] = await Promise.all([one.pythonOf(software(`${wheel()}\n`), onLine), one.pythonOf(software(`${wheel()}\n`), onLine)]);
  expect(first).toBe(second);
  expect(lines.filter((line) => / -m venv /.test(line) || / venv /.test(line))).toHaveLength(1);
  expect(execFileSync(first, ['-c', 'import tiny, sys; print(tiny.VALUE, sys.prefix != sys.base_prefix)']).toString()).toBe('42 True\n');
  lines = [];
  expect(await environments().pythonOf(software(`${wheel()}\n`), onLine)).toBe(first);
  expect(lines).toEqual([]);
});

it('says what pip said, and leaves nothing half built', async () => {
  const wanted = environments().pythonOf(software('nothing-such==1.0\n'), onLine);
  await expect(wanted).rejects.toMatchObject({ kind: 'unavailable', code: 'environment_failed', message: expect.stringContaining('nothing-such') });
  expect(readdirSync(root()).filter((name) => !name.startsWith('.'))).toEqual([]);
});

it('builds anew what was not finished', async () => {
  const python = await environments().pythonOf(software(`${wheel()}\n`), onLine);
  rmSync(join(python, '../../.ready'));
  rmSync(join(python, '../../lib'), { recursive: true });
  const again = await environments().pythonOf(software(`${wheel()}\n`), onLine);
  expect(execFileSync(again, ['-c', 'import tiny; print(tiny.VALUE)']).toString()).toBe('42\n');
});

it('ends what is being built when the server stops', async () => {
  const one = environments();
  const wanted = one.pythonOf(software(`${wheel()}\n`), onLine);
  wanted.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  await one.close();
  await expect(wanted).rejects.toMatchObject({ code: 'environment_failed' });
});

it('says which Python is missing', async () => {
  const wanted = environments().pythonOf(software('', '3.5'), onLine);
  await expect(wanted).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringMatching(/3\.[56]/) });
});

it('takes an interpreter that has everything, and refuses one that does not start', async () => {
  const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)']).toString().trim();
  expect(await environments({ interpreter: python }).pythonOf(software('nothing-such'), onLine)).toBe(python);
  expect(existsSync(root())).toBe(false);
  const wanted = environments({ interpreter: '/nowhere/python' }).pythonOf(software(''), onLine);
  await expect(wanted).rejects.toMatchObject({ code: 'python_missing', message: expect.stringContaining('/nowhere/python') });
  await expect(environments().pythonOf({ kind: 'image', image: 'x' }, onLine)).rejects.toMatchObject({ kind: 'unsupported', code: 'needs_container' });
});
