import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer, temporaryFolder } from './support/server.ts';

/** A disk of its own that is small enough to fill; needs root. */
describe.runIf(process.getuid?.() === 0 && process.platform === 'linux')('a full disk', () => {
  const disk = temporaryFolder('disk');
  const ballast = join(disk, 'ballast');
  let server: RunningServer;
  let runId: string;
  const mlflow = async (path: string, body: unknown) => {
    const reply = await fetch(`${server.url}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: reply.status, body: (await reply.json()) as Record<string, never> & { error_code?: string; message?: string } };
  };
  // Random values: they do not compress away.
  const batch = (step: number) => ({
    run_id: runId,
    metrics: Array.from({ length: 1000 }, (_, i) => ({
      key: `m${i % 50}`,
      value: Math.random(),
      step: step * 20 + Math.floor(i / 50),
      timestamp: 1_700_000_000_000 + step,
    })),
  });
  const fill = () => {
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - 64 * 1024)));
  };

  beforeAll(async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]);
    server = await startServer({ data: join(disk, 'data') });
    runId = ((await mlflow('runs/create', { experiment_id: '0' })).body as unknown as { run: { info: { run_id: string } } }).run.info.run_id;
  });
  afterAll(async () => {
    await server.stop();
    execFileSync('umount', [disk]);
  });

  it('is a clear error in the protocol’s shape; what was acknowledged stays, the server serves on and works again when space returns', async () => {
    expect((await mlflow('runs/log-batch', batch(0))).status).toBe(200);
    fill();
    let acknowledged = 1;
    let refused: Awaited<ReturnType<typeof mlflow>> | undefined;
    for (let step = 1; step < 2000 && refused === undefined; step++) {
      const reply = await mlflow('runs/log-batch', batch(step));
      if (reply.status === 200) acknowledged++;
      else refused = reply;
    }
    expect(refused?.body.message).toContain('is full');
    expect(refused?.body.error_code).toBeDefined();

    const upload = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/big.bin`, {
      method: 'PUT',
      body: Buffer.alloc(8 * 1024 * 1024, 7),
    });
    expect(upload.ok).toBe(false);
    expect(((await upload.json()) as { message: string }).message).toContain('full');

    expect(await (await fetch(`${server.url}/health`)).text()).toBe('OK');
    const history = async () => {
      const reply = await fetch(`${server.url}/api/2.0/mlflow/metrics/get-history?run_id=${runId}&metric_key=m0&max_results=25000`);
      return ((await reply.json()) as { metrics: unknown[] }).metrics.length;
    };
    expect(await history()).toBe(acknowledged * 20);

    rmSync(ballast);
    expect((await mlflow('runs/log-batch', batch(5000))).status).toBe(200);
    expect(await history()).toBe(acknowledged * 20 + 20);
    // Nothing of the upload that failed is left.
    const listing = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts?path=${encodeURIComponent(`0/${runId}/artifacts`)}`);
    expect(((await listing.json()) as { files?: unknown[] }).files ?? []).toEqual([]);
  });
});
