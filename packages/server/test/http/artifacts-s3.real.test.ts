import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tables } from '../../src/compose/tables.ts';
import { hasS3Server, S3_CREDENTIALS, type S3Server, startS3Server } from '../support/s3-server.ts';
import { type RunningServer, startServer, temporaryFolder } from '../support/server.ts';

describe.skipIf(!hasS3Server())('files of a run in a bucket (needs the Python environment of scripts/requirements-real.txt)', () => {
  let s3: S3Server;
  let server: RunningServer;
  const folder = temporaryFolder('rows');
  beforeAll(async () => {
    s3 = await startS3Server();
    await s3.bucket('models');
    server = await startServer({ args: ['--artifacts', `s3://models/team?endpoint=${s3.url}`], env: S3_CREDENTIALS });
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await s3?.stop();
    for (const path of [folder, server?.dataDir]) if (path !== undefined) await rm(path, { recursive: true, force: true });
  });

  it('rows of Parquet and CSV are read from a copy, ranges and ETags are answered', async () => {
    const made = await fetch(`${server.url}/api/binnacle/v1/runs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"r"}' });
    const run = (await made.json()) as { id: string; artifactUri: string };
    const put = async (name: string, body: string | Uint8Array) => {
      const root = run.artifactUri.replace(/^mlflow-artifacts:\//, '');
      const reply = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts${root.startsWith('/') ? '' : '/'}${root}/${encodeURIComponent(name)}`, {
        method: 'PUT',
        body: body as BodyInit,
      });
      expect(reply.status, await reply.text()).toBe(200);
    };
    await tables.write(join(folder, 't.parquet'), 'parquet', [
      { rows: 300, columns: [{ name: 'n', values: BigInt64Array.from({ length: 300 }, (_, i) => BigInt(i)) }] },
    ]);
    await put('a [1] *.parquet', await readFile(join(folder, 't.parquet')));
    await put('t.csv', 'a,b\n007,x\n');
    const native = `${server.url}/api/binnacle/v1/runs/${run.id}/artifacts`;
    const rows = async (query: string) => (await fetch(`${native}/rows?${query}`)).json();
    expect(await rows(`path=${encodeURIComponent('a [1] *.parquet')}&offset=299&limit=5`)).toMatchObject({ rows: [['299']], more: false, total: 300 });
    expect(await rows('path=t.csv')).toMatchObject({ format: 'csv', rows: [['007', 'x']] });
    const part = await fetch(`${native}/content?path=t.csv`, { headers: { range: 'bytes=4-6' } });
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, '007', 'bytes 4-6/10']);
    const etag = part.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    expect((await fetch(`${native}/content?path=t.csv`, { headers: { 'if-none-match': etag } })).status).toBe(304);
    // Another file in its place is another copy.
    await put('t.csv', 'a,b\n008,y\n');
    expect(await rows('path=t.csv')).toMatchObject({ rows: [['008', 'y']] });
  }, 120_000);
});
