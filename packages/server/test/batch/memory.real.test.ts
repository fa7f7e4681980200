import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { folder, query } from '../support/batch.ts';

const MIB = 2 ** 20;
const WIDTH = 16;
const dir = folder('memory');
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Runs a job over so many rows in a process of its own; its peak of resident memory in MiB. */
async function peak(rows: number): Promise<number> {
  const input = join(dir, `${rows}.parquet`);
  const columns = Array.from({ length: WIDTH }, (_, i) => `(range * ${i + 1} % 997) / 8 AS c${i}`).join(', ');
  await query(`COPY (SELECT ${columns} FROM range(${rows})) TO '${input}'`);
  const child = fileURLToPath(new URL('../support/batch-memory-child.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', child, input, String(WIDTH)]);
  const { peakBytes, ...job } = JSON.parse(stdout) as { peakBytes: number };
  expect(job).toEqual({ state: 'succeeded', rowsDone: rows, error: null });
  return Math.round(peakBytes / MIB);
}

it('four times the rows take no more memory', async () => {
  const few = await peak(1_000_000);
  const many = await peak(4_000_000);
  // The three million rows more are 366 MiB as doubles: a job that held them, in one copy, would be over this.
  expect(many, `${few} MiB for one million rows, ${many} MiB for four`).toBeLessThan(few * 1.3 + 64);
});
