import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BatchKit, batchKit, columns, folder, query } from '../support/batch.ts';
import { sum } from '../support/onnx-graphs.ts';

/** A disk of its own that is small enough to fill; needs root. */
describe.runIf(process.getuid?.() === 0 && process.platform === 'linux')('a batch job on a full disk', () => {
  const disk = folder('disk');
  let kit: BatchKit;
  beforeAll(async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]);
    kit = await batchKit();
    await kit.registry.add('sum', sum(2), columns('p', 'q'));
  });
  afterAll(async () => {
    await kit.close();
    execFileSync('umount', [disk]);
  });

  it('fails saying so, leaves whole parts only, and goes on when there is room', async () => {
    const input = kit.path('in.parquet');
    await query(`COPY (SELECT random() AS p, random() AS q FROM range(400000)) TO '${input}'`);
    const output = join(disk, 'out');
    const ballast = join(disk, 'ballast');
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - 5 * 1024 * 1024));
    const job = await kit.run({ model: 'sum', input, output, chunkRows: 40_000, workers: 1, monitor: false });
    expect(job).toMatchObject({ state: 'failed', error: expect.stringMatching(/disk is full.*resume/i) });
    expect(job.chunksDone).toBeGreaterThan(0);
    expect(existsSync(join(output, '_SUCCESS'))).toBe(false);
    expect(readdirSync(output).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(Number((await query(`SELECT count(*) AS n FROM '${output}/part-*.parquet'`))[0]?.['n'])).toBe(job.chunksDone * 40_000);

    rmSync(ballast);
    await kit.batch.resume(job.id);
    expect(await kit.batch.finished(job.id)).toMatchObject({ state: 'succeeded', rowsDone: 400_000, chunksDone: 10 });
  });
});
