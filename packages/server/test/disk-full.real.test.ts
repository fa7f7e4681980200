import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { twoColumns } from './support/onnx-graphs.ts';
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
  const native = async (method: string, path: string, body: string | Uint8Array<ArrayBuffer>, type = 'application/json') => {
    const reply = await fetch(`${server.url}/api/binnacle/v1${path}`, { method, headers: { 'content-type': type }, body });
    expect(reply.status, await reply.text()).toBeLessThan(300);
  };
  const predict = async () => {
    const reply = await fetch(`${server.url}/endpoints/two/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"dataframe_split":{"columns":["a","b"],"data":[[1,2]]}}',
    });
    return { status: reply.status, body: await reply.text() };
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
    await native('POST', '/models/two/versions?filename=two.onnx', new Uint8Array(twoColumns()), 'application/octet-stream');
    await native('PUT', '/endpoints/two', '{"model":"two","traffic":[{"version":1}]}');
    runId = ((await mlflow('runs/create', { experiment_id: '0' })).body as unknown as { run: { info: { run_id: string } } }).run.info.run_id;
  });
  afterAll(async () => {
    await server.stop();
    execFileSync('umount', [disk]);
  });

  it('is a clear error in the protocol’s shape; what was acknowledged stays, predictions go on, and writes do when space returns', async () => {
    expect((await mlflow('runs/log-batch', batch(0))).status).toBe(200);
    fill();
    expect(await predict()).toMatchObject({ status: 200, body: expect.stringContaining('predictions') });
    let acknowledged = 1;
    const refused: Awaited<ReturnType<typeof mlflow>>[] = [];
    // Four at a time share commits, and the disk is found full in the middle of one.
    for (let step = 1; step < 2000 && refused.length < 8; step += 4)
      for (const reply of await Promise.all([0, 1, 2, 3].map((i) => mlflow('runs/log-batch', batch(step + i))))) {
        if (reply.status === 200) acknowledged++;
        else refused.push(reply);
      }
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, body } of refused)
      expect({ status, ...body }).toMatchObject({ status: 503, error_code: 'TEMPORARILY_UNAVAILABLE', message: expect.stringContaining('is full') });
    // More than SQLite keeps in memory, so that it finds the disk full in the middle of the statement, beside others in the same commit.
    const huge = { experiment_id: '0', name: 'huge', params: [{ key: 'p', value: 'x'.repeat(24 * 2 ** 20) }] };
    const beside = await Promise.all([mlflow('logged-models', huge), ...[0, 1, 2].map((i) => mlflow('runs/log-batch', batch(3000 + i)))]);
    acknowledged += beside.filter(({ status }) => status === 200).length;
    for (const { status, body } of beside.filter((reply) => reply.status !== 200))
      expect({ status, ...body }).toMatchObject({ status: 503, error_code: 'TEMPORARILY_UNAVAILABLE', message: expect.stringContaining('is full') });
    expect(beside[0]?.status).toBe(503);
    for (let i = 0; i < 20; i++) expect(await predict()).toMatchObject({ status: 200, body: expect.stringContaining('predictions') });

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
