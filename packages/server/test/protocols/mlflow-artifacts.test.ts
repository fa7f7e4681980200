import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMlflowApp, type MlflowApp } from '../support/mlflow-app.ts';

let folder: string;
let mlflow: MlflowApp;
let base: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'binnacle-artifacts-'));
  mlflow = await createMlflowApp(folder);
  await mlflow.app.listen({ port: 0, host: '127.0.0.1' });
  base = `http://127.0.0.1:${(mlflow.app.server.address() as AddressInfo).port}/api/2.0/mlflow-artifacts`;
});
afterEach(async () => {
  await mlflow.close();
  rmSync(folder, { recursive: true, force: true });
});

const digest = (algorithm: string, body: string | Uint8Array, encoding: 'base64' | 'hex' = 'base64') => createHash(algorithm).update(body).digest(encoding);
const put = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${base}/artifacts/${path}`, { method: 'PUT', body, headers });

it.each([
  ['Content-MD5', digest('md5', 'hello')],
  ['x-amz-checksum-sha256', digest('sha256', 'hello')],
  ['Content-Digest', `sha-512=:AAAA:, sha-256=:${digest('sha256', 'hello')}:`],
  ['Repr-Digest', `sha-256=:${digest('sha256', 'hello')}:`],
])('an upload is held against its %s', async (header, value) => {
  expect((await put('a/f', 'hello', { [header]: value })).status).toBe(200);
  const refused = await put('a/f', 'hellO', { [header]: value });
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringMatching(/"a\/f" is [0-9a-f]+, not [0-9a-f]+/) });
  expect(await (await fetch(`${base}/artifacts/a/f`)).text()).toBe('hello');
});

it('an empty upload is held against its checksum, too, and one that is no digest is refused', async () => {
  expect((await put('e', '', { 'content-md5': digest('md5', '') })).status).toBe(200);
  expect((await put('e', '', { 'content-md5': digest('md5', 'x') })).status).toBe(400);
  const malformed = await put('e', 'x', { 'content-md5': 'nonsense' });
  expect([malformed.status, ((await malformed.json()) as { message: string }).message]).toEqual([
    400,
    'The header Content-MD5 must be a digest of 16 bytes in base64, not "nonsense".',
  ]);
});

it('a download says its checksum; one of a small file that was damaged since is an error in words', async () => {
  await put('m/MLmodel', 'flavors: {}');
  const sound = await fetch(`${base}/artifacts/m/MLmodel`);
  expect(sound.headers.get('repr-digest')).toBe(`sha-256=:${digest('sha256', 'flavors: {}')}:`);
  writeFileSync(join(folder, 'artifacts/m/MLmodel'), 'flavors: []');
  const damaged = await fetch(`${base}/artifacts/m/MLmodel`);
  expect(damaged.status).toBe(409);
  expect(await damaged.json()).toMatchObject({ error_code: 'RESOURCE_CONFLICT', message: expect.stringContaining('"m/MLmodel" is corrupted') });
});

it('a large file that was damaged since breaks off before its end', async () => {
  const body = new Uint8Array(3_000_000).fill(7);
  await put('m/model.onnx', body);
  expect(digest('sha256', new Uint8Array(await (await fetch(`${base}/artifacts/m/model.onnx`)).arrayBuffer()), 'hex')).toBe(digest('sha256', body, 'hex'));
  body[1_500_000] = 8;
  writeFileSync(join(folder, 'artifacts/m/model.onnx'), body);
  const reply = await fetch(`${base}/artifacts/m/model.onnx`);
  await expect(reply.arrayBuffer()).rejects.toThrow();
});

it('a folder hands out no links, and says so as mlflow server does', async () => {
  const post = async (path: string, body: object) => {
    const reply = await fetch(`${base.replace('mlflow-artifacts', 'mlflow')}${path}`, { method: 'POST', body: JSON.stringify(body) });
    const { error_code, message } = (await reply.json()) as { error_code: string; message: string };
    return [reply.status, error_code, message.split(/[.:(]/)[0]?.trim()];
  };
  const multipart = 'Multipart upload is not supported for the current artifact repository';
  for (const step of ['create', 'complete', 'abort'])
    expect(await post(`-artifacts/mpu/${step}/a/b`, { path: 'x', upload_id: 'u', parts: [] })).toEqual([501, 'NOT_IMPLEMENTED', multipart]);
  const run = await fetch(`${base.replace('-artifacts', '')}/runs/create`, { method: 'POST', body: '{"experiment_id":"0"}' });
  const { run_id } = ((await run.json()) as { run: { info: { run_id: string } } }).run.info;
  const refused = [400, 'INVALID_PARAMETER_VALUE'];
  expect(await post('/artifacts/presigned-upload-url', { run_id, path: 'f' })).toEqual([
    ...refused,
    'Presigned upload is not supported for proxied artifact storage',
  ]);
  expect(await post('/artifacts/presigned-download-url', { run_id, path: 'f' })).toEqual([
    ...refused,
    'Presigned download is not supported for proxied artifact storage',
  ]);
  expect(await post('/artifacts/presigned-download-url', { run_id, path: 'f', expiration: 604_801 })).toEqual([
    ...refused,
    'expiration must be between 1 and 604800 seconds',
  ]);
  expect(await post('/artifacts/presigned-upload-url', { run_id, model_id: 'm-1', path: 'f' })).toEqual([
    ...refused,
    'Exactly one of run_id and model_id must be provided',
  ]);
  expect((await post('/artifacts/presigned-upload-url', { run_id, path: '../f' })).slice(0, 2)).toEqual(refused);
  expect((await post('/artifacts/presigned-upload-url', { run_id: 'none', path: 'f' })).slice(0, 2)).toEqual([404, 'RESOURCE_DOES_NOT_EXIST']);
});
