import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasS3Server, S3_CREDENTIALS, type S3Server, startS3Server } from '../support/s3-server.ts';
import { binnacle, startServer, temporaryFolder } from '../support/server.ts';

describe.skipIf(!hasS3Server())('artifacts move to a bucket (needs the Python environment of scripts/requirements-real.txt)', () => {
  let s3: S3Server;
  beforeAll(async () => {
    s3 = await startS3Server();
    await s3.bucket('moved');
  });
  afterAll(() => s3?.stop());

  it('with the metadata, and a server on both answers with the same files', async () => {
    const data = temporaryFolder('moved');
    const body = Buffer.alloc(12_000_000, 'artifact');
    const before = await startServer({ data });
    const path = `api/2.0/mlflow-artifacts/artifacts/0/r/artifacts/d${encodeURIComponent('é 🦀')}`;
    for (const [name, content] of [
      ['large.bin', body],
      ['small.txt', 'small'],
    ] as const)
      expect((await fetch(`${before.url}/${path}/${name}`, { method: 'PUT', body: content })).ok).toBe(true);
    const artifacts = `s3://moved/team?endpoint=${encodeURIComponent(s3.url)}`;
    const held = await binnacle(['migrate', '--data', data, '--artifacts', artifacts], { env: S3_CREDENTIALS });
    expect([held.code, held.stderr]).toEqual([1, expect.stringContaining('is in use by')]);
    await before.stop();

    const target = join(temporaryFolder('there'), 'binnacle.db');
    const both = () => binnacle(['migrate', '--data', data, '--to', `sqlite:${target}`, '--artifacts', artifacts, '--json'], { env: S3_CREDENTIALS });
    const first = await both();
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ equal: true, artifacts: { files: 2, bytes: 12_000_005, copied: 2, failed: [] } });
    expect(JSON.parse((await both()).stdout)).toMatchObject({ already: true, artifacts: { files: 2, copied: 0, failed: [] } });

    const after = await startServer({ data: join(target, '..'), env: { ...S3_CREDENTIALS, BINNACLE_ARTIFACTS: artifacts } });
    const large = Buffer.from(await (await fetch(`${after.url}/${path}/large.bin`)).arrayBuffer());
    expect(large.equals(body)).toBe(true);
    expect(await (await fetch(`${after.url}/${path}/small.txt`)).text()).toBe('small');
    await after.stop();
  });
});
