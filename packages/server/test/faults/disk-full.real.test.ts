import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binnacle, type RunningServer, startServer, temporaryFolder } from '../support/server.ts';
import { type Json, startCrowd } from './crowd.ts';
import { sixteen } from './writers.ts';

/** A disk of its own that is small enough to fill; needs root. */
describe.runIf(process.getuid?.() === 0 && process.platform === 'linux')('a disk that fills under 16 writers', () => {
  const disk = temporaryFolder('disk');
  const ballast = join(disk, 'ballast');
  let server: RunningServer;
  const fill = (left = 256 * 1024) => {
    const { bavail, bsize } = statfsSync(disk);
    try {
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - left)));
    } catch {
      // The writers were faster, and the disk is as full as can be.
    }
  };
  const send = async (method: string, path: string, body?: string | Uint8Array<ArrayBuffer>) => {
    const reply = await fetch(`${server.url}/api/${path}`, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    return { status: reply.status, retryAfter: reply.headers.get('retry-after'), ...((await reply.json()) as Json) } as Json;
  };
  const until = async (holds: () => Promise<boolean> | boolean) => {
    for (let tries = 0; tries < 600; tries++) {
      if (await holds()) return;
      await sleep(50);
    }
    expect.fail('it did not come true');
  };
  beforeAll(async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', disk]);
    server = await startServer({ data: join(disk, 'data') });
  });
  afterAll(async () => {
    await server?.stop();
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  });

  it('writes say where the disk is full and may be sent again, reads go on, and all is well when space returns', async () => {
    const crowd = startCrowd(sixteen, { write: () => server.url, read: () => server.url });
    try {
      await until(() => crowd.acknowledged() > 100);
      for (let round = 0; round < 3; round++) {
        fill();
        // Smaller and smaller writes still fit for a while; in the end none does.
        let before = -1;
        await until(async () => {
          before = crowd.acknowledged();
          await sleep(400);
          return crowd.acknowledged() === before;
        });
        const full = { status: 503, retryAfter: '30', error_code: 'TEMPORARILY_UNAVAILABLE' };
        const database = { ...full, message: expect.stringMatching(/^The disk that holds \/.*binnacle\.db is full\. Nothing of this request was written/) };
        expect(await send('POST', '2.0/mlflow/runs/create', '{"experiment_id":"0"}')).toMatchObject(database);
        expect(await send('POST', '2.0/mlflow/experiments/create', '{"name":"full"}')).toMatchObject(database);
        expect(await send('POST', '2.0/mlflow/registered-models/create', '{"name":"full"}')).toMatchObject(database);
        expect(await send('PUT', '2.0/mlflow-artifacts/artifacts/0/full/big.bin', new Uint8Array(2 ** 20))).toMatchObject({
          ...full,
          message: expect.stringMatching(/^The disk that holds the artifacts is full\. "0\/full\/big\.bin" was not stored/),
        });
        expect(await send('POST', 'binnacle/v1/experiments', '{"name":"full"}')).toMatchObject({ status: 507, code: 'disk_full', retryAfter: '30' });
        expect(await send('GET', '2.0/mlflow-artifacts/artifacts?path=0/full')).toMatchObject({ status: 200, files: [] });
        expect(await send('POST', '2.0/mlflow/runs/search', '{"experiment_ids":["0"]}')).toMatchObject({ status: 200, runs: expect.any(Array) });
        // Nothing that was acknowledged is missing, and nothing is half there.
        await crowd.verify();
        rmSync(ballast);
        await until(() => crowd.acknowledged() > before + 50);
      }
      await crowd.stop();
      expect(await crowd.verify()).toBeGreaterThan(200);
      expect([...crowd.seen.keys()]).toEqual(['503 TEMPORARILY_UNAVAILABLE']);
      expect(readdirSync(join(disk, 'data', 'artifacts', '.uploads'))).toEqual([]);
      expect(await server.stop()).toBe(0);
      const db = new DatabaseSync(join(disk, 'data', 'binnacle.db'), { readOnly: true });
      expect(db.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
      db.close();
      // A server says so, too, when it cannot start for it, and starts where there is just enough.
      fill(0);
      for (const data of ['new', 'data']) {
        const { code, stderr } = await binnacle(['up', '--data', join(disk, data), '--port', '0']);
        expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^error: .*(is full|check the disk)/) });
      }
      rmSync(ballast);
      fill();
      server = await startServer({ data: join(disk, 'data') });
      expect(await send('POST', '2.0/mlflow/runs/search', '{"experiment_ids":["0"],"max_results":1}')).toMatchObject({
        status: 200,
        runs: [expect.any(Object)],
      });
      rmSync(ballast);
      expect(await send('POST', '2.0/mlflow/runs/create', '{"experiment_id":"0"}')).toMatchObject({ status: 200 });
    } finally {
      rmSync(ballast, { force: true });
      await crowd.stop().catch(() => {});
    }
  });
});
