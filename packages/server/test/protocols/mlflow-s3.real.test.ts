import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasS3Server, S3_CREDENTIALS, type S3Server, startS3Server } from '../support/s3-server.ts';
import { binnacle, type RunningServer, startServer, temporaryFolder } from '../support/server.ts';

const python = process.env.BINNACLE_PYTHON ?? fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));
const journey = fileURLToPath(new URL('./python/artifacts_s3.py', import.meta.url));
const run = promisify(execFile);
const MIB = 1024 * 1024;

describe.skipIf(!hasS3Server())('artifacts in a bucket (needs the Python environment of scripts/requirements-real.txt)', () => {
  let s3: S3Server;
  let server: RunningServer;
  const folder = temporaryFolder('files');
  beforeAll(async () => {
    s3 = await startS3Server();
    await s3.bucket('models');
    server = await startServer({ args: ['--artifacts', `s3://models/team?endpoint=${s3.url}`], env: S3_CREDENTIALS });
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await s3?.stop();
    for (const path of [folder, server?.dataDir]) if (path !== undefined) rmSync(path, { recursive: true, force: true });
  });

  const expected = {
    listed: [['large/big file.bin', 60 * MIB]],
    same: true,
    loaded: true,
    predicted: true,
    served: true,
    direct: 'past the server',
    range: [206, true, 60 * MIB],
    'proxied range': [206, 'bytes 1-3/5', 'mal'],
    deleted: [],
  };
  const client = async (settings: Record<string, string>) => {
    const clean = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(MLFLOW|BINNACLE|AWS)_/.test(key)));
    const { stdout } = await run(python, [journey, server.url, folder], { env: { ...clean, ...settings }, maxBuffer: 64 * MIB });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { run_id: string };
  };
  const s3Text = async (query: string) => (await fetch(`${s3.url}/models?${query}`)).text();

  it('the mlflow client logs, loads, serves and deletes through the server', async () => {
    const settings = { MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: 'false', MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD: 'false' };
    // The server's own parts of 8 MiB.
    expect(await client(settings)).toMatchObject({ ...expected, parts: '8' });
  }, 300_000);

  it('so it does with multipart up- and downloads past the server', async () => {
    const settings = {
      MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: 'true',
      MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD: 'true',
      MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE: String(8 * MIB),
      MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE: String(8 * MIB),
    };
    // The client's parts of 10 MiB.
    expect(await client(settings)).toMatchObject({ ...expected, parts: '6' });
    expect(await s3Text('uploads')).not.toContain('<Upload>');
  }, 300_000);

  it('large files go past the server by themselves where it offers so', async () => {
    const info = (await (await fetch(`${server.url}/api/3.0/mlflow/server-info`)).json()) as Record<string, unknown>;
    expect(info).toMatchObject({ multipart_uploads_enabled: true, multipart_downloads_enabled: true });
  });

  it('a wrong upload id, too many parts and a body that is no JSON are errors in words', async () => {
    const post = async (step: string, body: string) => {
      const reply = await fetch(`${server.url}/api/2.0/mlflow-artifacts/mpu/${step}/0/r/artifacts`, { method: 'POST', body });
      return [reply.status, ((await reply.json()) as { error_code: string }).error_code];
    };
    expect(await post('create', '{"path":"/tmp/x","num_parts":10001}')).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(await post('create', '{"num_parts":1}')).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(await post('create', '{"path":"/tmp/..","num_parts":1}')).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(await post('create', 'nonsense')).toEqual([400, 'BAD_REQUEST']);
    expect(await post('complete', '{"path":"x","upload_id":"none","parts":[{"part_number":1,"etag":"\\"a\\""}]}')).toEqual([404, 'RESOURCE_DOES_NOT_EXIST']);
    expect(await post('complete', '{"path":"x","upload_id":"none","parts":[]}')).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(await post('abort', '{"path":"x","upload_id":"none"}')).toEqual([404, 'RESOURCE_DOES_NOT_EXIST']);
  });

  it('a server that cannot use its bucket says why and ends', async () => {
    const nobody = { AWS_EC2_METADATA_DISABLED: 'true', HOME: folder };
    const up = (url: string, env: Record<string, string>) => binnacle(['up', '--data', temporaryFolder(), '--port', '0', '--artifacts', url], { env });
    const refused = await Promise.all([
      up(`s3://nowhere?endpoint=${s3.url}`, S3_CREDENTIALS),
      up(`s3://models?endpoint=${s3.url}`, nobody),
      up('s3://models?endpoint=https://me:hunter2@host', S3_CREDENTIALS),
    ]);
    expect(refused.map(({ code }) => code)).toEqual([1, 1, 1]);
    expect(refused[0]?.stderr).toContain('There is no bucket nowhere');
    expect(refused[1]?.stderr).toContain('No credentials for the bucket models were found');
    expect(refused[2]?.stderr).toContain('must not have credentials in its endpoint');
    expect(refused.map(({ stdout, stderr }) => stdout + stderr).join('')).not.toMatch(/hunter2|test-secret/);
  }, 60_000);

  it('an upload during which the bucket goes away is answered 503, and nothing of it is stored', async () => {
    const target = `${server.url}/api/2.0/mlflow-artifacts/artifacts/half/way.bin`;
    const outage = fileURLToPath(new URL('./python/upload_outage.py', import.meta.url));
    const { stdout } = await run(python, [outage, target, String(s3.pid)], { timeout: 60_000 });
    expect(stdout.trim()).toBe('503');
    await s3.stop();
    s3 = await startS3Server({ port: Number(new URL(s3.url).port) });
    await s3.bucket('models');
    expect((await fetch(target)).status).toBe(404);
  }, 120_000);

  it('while the bucket cannot be reached, artifacts answer 503 and the rest works; afterwards all is as before', async () => {
    const artifact = `${server.url}/api/2.0/mlflow-artifacts/artifacts/a/b.txt`;
    expect((await fetch(artifact, { method: 'PUT', body: 'x' })).status).toBe(200);
    await s3.stop();
    for (const call of [() => fetch(artifact), () => fetch(artifact, { method: 'PUT', body: 'y' }), () => fetch(artifact, { method: 'DELETE' })]) {
      const reply = await call();
      expect([reply.status, reply.headers.get('retry-after'), ((await reply.json()) as { error_code: string }).error_code]).toEqual([
        503,
        '5',
        'TEMPORARILY_UNAVAILABLE',
      ]);
    }
    expect((await fetch(`${server.url}/api/2.0/mlflow/experiments/get?experiment_id=0`)).status).toBe(200);
    s3 = await startS3Server({ port: Number(new URL(s3.url).port) });
    await s3.bucket('models');
    expect((await fetch(artifact, { method: 'PUT', body: 'z' })).status).toBe(200);
    expect(await (await fetch(artifact)).text()).toBe('z');
    expect(server.stderr()).not.toMatch(/test-secret|AWS4-HMAC/);
  }, 60_000);
});
