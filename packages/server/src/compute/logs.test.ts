import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Backoff } from './backoff.ts';
import { LogFile } from './log-file.ts';
import { LogRing } from './log-ring.ts';
import { ServiceLog } from './service-log.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'binnacle-log-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const texts = (read: { lines: { text: string }[] }) => read.lines.map(({ text }) => text);

it('keeps the last lines, and goes on where a reader was', () => {
  const ring = new LogRing(4, 'e');
  for (let i = 1; i <= 3; i++) ring.add(`${i}`, 'stdout', i);
  const first = ring.read(2);
  expect(texts(first)).toEqual(['2', '3']);
  expect(texts(ring.read(10, first.next))).toEqual([]);
  for (let i = 4; i <= 5; i++) ring.add(`${i}`, 'stderr', i);
  const second = ring.read(1, first.next);
  expect(texts(second)).toEqual(['4']);
  expect(texts(ring.read(10, second.next))).toEqual(['5']);
  for (let i = 6; i <= 12; i++) ring.add(`${i}`, 'stdout', i);
  expect(texts(ring.read(10, second.next))).toEqual(['9', '10', '11', '12']);
});

it('takes a cursor of another process, or nonsense, for none', () => {
  const ring = new LogRing(4, 'e');
  for (let i = 1; i <= 3; i++) ring.add(`${i}`, 'stdout', i);
  for (const after of ['other.1', 'e.-5', 'e.x', '', 'e', 'e.99999999999999999999']) expect(texts(ring.read(2, after))).toEqual(['2', '3']);
  expect(texts(ring.read(2, 'e.900'))).toEqual([]);
});

it('keeps as many lines as fit, and always the last', () => {
  const ring = new LogRing(100, 'e', 1000);
  for (const letter of 'abcde') ring.add(letter.repeat(150), 'stdout', 0);
  expect(texts(ring.read(10)).map((text) => text[0])).toEqual(['d', 'e']);
  expect(texts(ring.read(10, 'e.0')).map((text) => text[0])).toEqual(['d', 'e']);
  ring.add('f'.repeat(5000), 'stdout', 0);
  expect(texts(ring.read(10)).map((text) => text[0])).toEqual(['f']);
  for (const letter of 'gh') ring.add(letter, 'stdout', 0);
  expect(texts(ring.read(10))).toEqual(['g', 'h']);
});

it('cuts a line without end', () => {
  const ring = new LogRing();
  expect(ring.add('x'.repeat(100_000), 'stdout', 0).text).toHaveLength(8193);
});

it('writes a file that rotates, and keeps so many', async () => {
  const file = new LogFile(join(dir, 'a/serve.log'), { maxBytes: 100, keep: 2 });
  for (let i = 0; i < 12; i++) {
    file.write(`${i}`.padStart(40, '-'));
    await file.flushed();
  }
  expect((await readdir(join(dir, 'a'))).sort()).toEqual(['serve.log', 'serve.log.1', 'serve.log.2']);
  const all = await Promise.all(['serve.log.2', 'serve.log.1', 'serve.log'].map((name) => readFile(join(dir, 'a', name), 'utf8')));
  expect(all.map((text) => Number(text.split('\n')[0]?.replaceAll('-', '')))).toEqual([6, 8, 10]);
});

it('leaves out what the disk does not take in time, and says how much', async () => {
  const file = new LogFile(join(dir, 'serve.log'), { maxWaiting: 3 });
  for (let i = 0; i < 10; i++) file.write(`${i}`);
  await file.flushed();
  expect(await readFile(join(dir, 'serve.log'), 'utf8')).toBe('0\n1\n2\n(7 lines were left out here)\n');
});

it('goes on without a file that cannot be written', async () => {
  const log = new ServiceLog('/dev/null/nowhere/serve.log');
  log.add('said', 'stdout');
  await log.flushed();
  log.add('again', 'stdout');
  await log.flushed();
  expect(texts(log.read(10))).toEqual(['said', 'again']);
});

it('ends an error with the last lines that the service said itself', () => {
  const log = new ServiceLog(undefined);
  for (const text of ['one', '', 'two', 'three']) log.add(text, 'stderr');
  log.add('next start in 2 s', 'binnacle');
  expect(log.tail(2)).toBe('two\nthree');
});

it('waits twice as long after each failure, up to a limit, spread over a half', () => {
  const waits = (random: number) => {
    const backoff = new Backoff({ firstMs: 100, longestMs: 1000, loopAfter: 3 }, () => random);
    return Array.from({ length: 6 }, () => backoff.next());
  };
  expect(waits(0)).toEqual([50, 100, 200, 400, 500, 500]);
  expect(waits(0.999999)).toEqual([100, 200, 400, 800, 1000, 1000]);
  const backoff = new Backoff({ firstMs: 100, longestMs: 1000, loopAfter: 2 }, () => 0);
  backoff.next();
  expect(backoff.looping).toBe(false);
  backoff.next();
  expect(backoff.looping).toBe(true);
  backoff.reset();
  expect(backoff.next()).toBe(50);
});
