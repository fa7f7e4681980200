import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderName, lineOf, MENDED, readable } from './record.ts';
import { readLines } from './record-reader.ts';

test('a folder of runs tells people what is in it', () => {
  const run = { startedAt: Date.UTC(2026, 10, 25, 2, 48, 23), runId: '3f2a9c1b'.repeat(4) };
  expect(folderName({ ...run, experiment: 'team/churn: v2', name: 'Größe 3' })).toBe('20261125-024823_team-churn-v2_Größe-3_3f2a9c1b');
  expect(folderName({ ...run, experiment: '../..' })).toBe('20261125-024823_3f2a9c1b');
  expect(readable('.hidden/../日本語?')).toBe('hidden-..-日本語');
});

const entry = (step: number, key = 'a') => lineOf({ kind: 'metric', key, value: step, step, timestamp: 1 });
async function read(file: string, offset = 0) {
  const found: { step: number | undefined; next: number }[] = [];
  for await (const { line, next } of readLines(file, offset)) found.push({ step: line !== undefined && 'step' in line ? line.step : undefined, next });
  return found;
}

test('whole lines are read from any line on, over many chunks; a torn end does not count until it is whole', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'binnacle-record-')), 'run.jsonl');
  writeFileSync(file, '');
  expect(await read(file)).toEqual([]);
  // Names of several bytes a character lie across the chunks.
  const long = 'ü'.repeat(300_000);
  for (let step = 0; step < 6; step++) appendFileSync(file, entry(step, long));
  appendFileSync(file, entry(6).slice(0, 20));
  const lines = await read(file);
  expect(lines.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
  expect((await read(file, lines[3]?.next)).map(({ step }) => step)).toEqual([4, 5]);
  appendFileSync(file, entry(6).slice(20));
  expect((await read(file, lines[5]?.next)).map(({ step }) => step)).toEqual([6]);
});

test('a line that cannot be read is told, and those around it are read', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'binnacle-record-')), 'run.jsonl');
  writeFileSync(file, `${entry(0)}{"kind":"metr\n${entry(1)}{"kind":"what"}\nnull\n${entry(2)}{"kind":"me\n`);
  expect((await read(file)).map(({ step }) => step)).toEqual([0, undefined, 1, undefined, undefined, 2, undefined]);
  const [, bad] = await read(file);
  expect((await read(file, bad?.next)).map(({ step }) => step)).toEqual([1, undefined, undefined, 2, undefined]);
});

test('a line that its writer had to end, and wrote again, is none', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'binnacle-record-')), 'run.jsonl');
  // The second one lies across the chunks.
  const long = entry(2, 'x'.repeat(1024 * 1024)).slice(0, 1024 * 1024);
  writeFileSync(file, `${entry(0)}{"kind":"metr${MENDED}${entry(1)}${long}${MENDED}${entry(2)}{"kind":"torn"}\n${entry(3)}${MENDED}`);
  expect((await read(file)).map(({ step }) => step)).toEqual([0, 1, 2, undefined, 3]);
});
