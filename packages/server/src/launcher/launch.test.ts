import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isAlive } from '../../test/support/processes.ts';
import { direct, launch } from './launch.ts';
import { Launcher } from './launcher.ts';
import { closed, type LaunchOptions, type Program } from './program.ts';

const OUTPUT = { env: { PATH: process.env['PATH'] ?? '' }, stdio: ['ignore', 'pipe', 'pipe'] } satisfies LaunchOptions;
const read = (stream: Readable | undefined): Promise<string> =>
  stream === undefined ? Promise.reject(new Error('no pipe')) : stream.setEncoding('utf8').reduce((all, part: string) => all + part, '');
describe.each([
  ['by the launcher', launch],
  ['from here', direct],
])('a program started %s', (_how, start) => {
  const shell = (script: string, options: LaunchOptions = OUTPUT): Promise<Program> => start('/bin/sh', ['-c', script], options);

  it('is heard to the last byte, also where many write at once and end at once', async () => {
    const lengths = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const program = await shell('seq 1 20000; echo done >&2');
        const [out, err, exit] = await Promise.all([read(program.pipes[1]), read(program.pipes[2]), closed(program)]);
        expect(exit).toEqual({ code: 0, signal: null });
        expect(err).toBe('done\n');
        return out.length;
      }),
    );
    expect(new Set(lengths)).toEqual(new Set([108_894]));
  });

  it('is spoken to and answers on any file descriptor', async () => {
    const program = await shell('read word <&3; echo "you said $word" >&3', { ...OUTPUT, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    expect(program.pipes.map((pipe) => pipe !== undefined)).toEqual([false, false, false, true]);
    program.pipes[3]?.write('hello\n');
    expect(await read(program.pipes[3])).toBe('you said hello\n');
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });

  it('tells its exit code, or the signal that ended it', async () => {
    expect(await closed(await shell('exit 7'))).toEqual({ code: 7, signal: null });
    const program = await shell('exec sleep 60');
    program.kill('SIGKILL');
    expect(await closed(program)).toEqual({ code: null, signal: 'SIGKILL' });
    program.kill('SIGKILL');
  });

  it('has the environment, folder and group that it was given, and no other', async () => {
    const program = await shell('pwd; env | grep -v -e ^PWD -e ^SHLVL -e ^_ -e ^OLDPWD; ps -o pgid= -p $$', {
      ...OUTPUT,
      env: { PATH: '/usr/bin:/bin', WORD: 'x' },
      cwd: '/',
      detached: true,
    });
    const lines = (await read(program.pipes[1])).trim().split('\n');
    expect(lines[0]).toBe('/');
    expect(lines.slice(1, -1).sort()).toEqual(['PATH=/usr/bin:/bin', 'WORD=x']);
    expect(Number(lines.at(-1))).toBe(program.pid);
    await program.exited;
  });

  it('that does not exist is an error, and so is a folder', async () => {
    await expect(start('/no/such/program', [], OUTPUT)).rejects.toMatchObject({
      code: 'ENOENT',
      message: expect.stringContaining('/no/such/program') as string,
    });
    await expect(start('/tmp', [], OUTPUT)).rejects.toMatchObject({ code: 'EACCES' });
    await expect(start('a\0b', [], OUTPUT)).rejects.toThrow('null bytes');
    expect(await closed(await shell('exit 0'))).toMatchObject({ code: 0 });
  });

  it('is let go of where what it started keeps its pipes', async () => {
    const program = await shell('sleep 60 & echo $!');
    const said = once(program.pipes[1] as Readable, 'data');
    const before = performance.now();
    expect(await closed(program)).toMatchObject({ code: 0 });
    expect(performance.now() - before).toBeLessThan(5000);
    process.kill(Number(String((await said)[0])), 'SIGKILL');
  });
});

it.runIf(process.platform === 'linux')('a launcher that is lost takes its programs along, and they are told to have ended', async () => {
  const launcher = new Launcher();
  const program = await launcher.launch('/bin/sleep', ['60'], { ...OUTPUT, detached: true });
  const starting = launcher.launch('/bin/sleep', ['60'], OUTPUT);
  process.kill(launcher.pid as number, 'SIGKILL');
  await Promise.allSettled([starting]);
  expect(await program.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await expect.poll(() => isAlive(program.pid)).toBe(false);
  expect(launcher.alive).toBe(false);
  await expect(launcher.launch('/bin/true', [], OUTPUT)).rejects.toThrow('has ended');
  expect(await closed(await launch('/bin/true', [], OUTPUT))).toMatchObject({ code: 0 });
});

it('a process ends when its programs have, and not before', async () => {
  const module = new URL('./index.ts', import.meta.url).href;
  const script = `const { launch } = await import(${JSON.stringify(module)}); const { pid, exited } = await launch('/bin/sleep', ['0.3'], { env: {}, stdio: ['ignore'] }); void exited.then(() => console.log('over'));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
    timeout: 20_000,
  });
  expect(stdout).toBe('over\n');
});
