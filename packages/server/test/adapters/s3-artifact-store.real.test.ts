import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openS3ArtifactStore } from '../../src/adapters/s3/index.ts';
import type { ArtifactStore } from '../../src/artifacts/index.ts';
import { artifactStoreSuite } from '../ports/artifact-store.suite.ts';
import { hasS3Server, S3_CREDENTIALS, type S3Server, startS3Server } from '../support/s3-server.ts';
import { temporaryFolder } from '../support/server.ts';

describe.skipIf(!hasS3Server())('against a real S3-speaking server (needs the Python environment of scripts/requirements-real.txt)', () => {
  let s3: S3Server;
  let client: S3Client;
  const before = { ...process.env };
  beforeAll(async () => {
    Object.assign(process.env, S3_CREDENTIALS);
    s3 = await startS3Server();
    client = new S3Client({ endpoint: s3.url, region: 'us-east-1', forcePathStyle: true });
  }, 60_000);
  afterAll(async () => {
    process.env = before;
    client?.destroy();
    await s3?.stop();
  });

  let buckets = 0;
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  async function fresh(options: { prefix?: string; cacheBytes?: number } = {}): Promise<{ store: ArtifactStore; bucket: string; cacheDir: string }> {
    const bucket = `bucket-${++buckets}`;
    await s3.bucket(bucket);
    const cacheDir = temporaryFolder('cache');
    folders.push(cacheDir);
    const store = await openS3ArtifactStore({ bucket, prefix: options.prefix ?? '', endpoint: s3.url, cacheDir, cacheBytes: options.cacheBytes ?? 2 ** 30 });
    return { store, bucket, cacheDir };
  }
  const keys = async (bucket: string) => ((await client.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).map(({ Key }) => Key);
  const sha256 = (body: Uint8Array | string) => createHash('sha256').update(body).digest('hex');
  const readAll = async (store: ArtifactStore, path: string) => Buffer.concat(await (await store.open(path)).stream.toArray());

  artifactStoreSuite('in a bucket', async () => ({ store: (await fresh()).store, close: async () => {} }));
  artifactStoreSuite('below a prefix of a bucket', async () => ({ store: (await fresh({ prefix: 'team/α β' })).store, close: async () => {} }));

  it('a long body goes in parts, with its checksum; one that breaks off leaves no object and no parts', async () => {
    const { store, bucket } = await fresh({ prefix: 'p' });
    const body = Buffer.alloc(30_000_000, 'abcdefg');
    async function* chunks(breakAt = Number.POSITIVE_INFINITY) {
      for (let at = 0; at < body.length; at += 65_536) {
        if (at > breakAt) throw new Error('the client went away');
        yield body.subarray(at, at + 65_536);
      }
    }
    expect(await store.put('m/model.onnx', chunks())).toEqual({ size: body.length, sha256: sha256(body) });
    const { ETag } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'p/m/model.onnx' }));
    expect(ETag).toMatch(/-4"$/);
    const opened = await store.open('m/model.onnx');
    expect([opened.size, opened.sha256]).toEqual([body.length, sha256(body)]);
    expect(sha256(Buffer.concat(await opened.stream.toArray()))).toBe(sha256(body));
    expect(await store.list('')).toEqual([{ path: 'm', isDirectory: true, size: null }]);
    await expect(store.put('m/model.onnx', chunks(25_000_000))).rejects.toThrow('the client went away');
    await expect(store.put('m/other', chunks(), { maxBytes: 20_000_000 })).rejects.toMatchObject({ code: 'artifact_too_large' });
    expect(sha256(await readAll(store, 'm/model.onnx'))).toBe(sha256(body));
    expect(await store.list('m')).toHaveLength(1);
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).toEqual([]);
    await store.delete('m');
    expect(await keys(bucket)).toEqual([]);
  });

  it('a folder of more than a thousand files is listed and deleted whole, and nothing beside it', async () => {
    const { store, bucket } = await fresh();
    for (let i = 0; i < 1100; i += 50) await Promise.all(Array.from({ length: 50 }, (_, j) => store.put(`many/${i + j}`, Buffer.from('x'))));
    await store.put('many-more/x', Buffer.from('x'));
    expect(await store.list('many')).toHaveLength(1100);
    await store.delete('many');
    expect(await keys(bucket)).toEqual(['many-more/x']);
  }, 120_000);

  it('a copy of a folder keeps its shape, is made once, and another version of a file makes another copy', async () => {
    const { store, cacheDir } = await fresh();
    await store.put('m/MLmodel', Buffer.from('one'));
    await store.put('m/data/weights.bin', Buffer.from('weights'));
    const first = await store.materialize('m');
    expect([readFileSync(join(first, 'MLmodel'), 'utf8'), readFileSync(join(first, 'data/weights.bin'), 'utf8')]).toEqual(['one', 'weights']);
    expect(await store.materialize('m')).toBe(first);
    await store.put('m/MLmodel', Buffer.from('two'));
    const second = await store.materialize('m');
    expect(second).not.toBe(first);
    expect(readFileSync(join(first, 'MLmodel'), 'utf8')).toBe('one');
    expect(readFileSync(join(second, 'MLmodel'), 'utf8')).toBe('two');
    expect(statSync(join(second, 'data/weights.bin')).ino).toBe(statSync(join(first, 'data/weights.bin')).ino);
    expect(readdirSync(join(cacheDir, 'tmp'))).toEqual([]);
  });

  it('weights beside a graph lie beside its copy', async () => {
    const { store } = await fresh();
    await store.put('m/model.onnx', Buffer.from('graph'));
    await store.put('m/model.onnx.data', Buffer.from('weights'));
    const graph = await store.materialize('m/model.onnx');
    expect(readFileSync(`${graph}.data`, 'utf8')).toBe('weights');
    expect(dirname(graph)).toBe(await store.materialize('m'));
  });

  it('many who want the same copy at once share one download', async () => {
    const { store, cacheDir } = await fresh();
    await store.put('m/model.bin', Buffer.alloc(5_000_000, 1));
    const copies = await Promise.all(Array.from({ length: 20 }, () => store.materialize('m/model.bin')));
    expect(new Set(copies).size).toBe(1);
    expect(readdirSync(join(cacheDir, 'blobs'))).toHaveLength(1);
  });

  it('copies beyond the bound go, those not asked for the longest first; one in use stays', async () => {
    const { store, cacheDir } = await fresh({ cacheBytes: 3_500_000 });
    const { utimes } = await import('node:fs/promises');
    const copies: string[] = [];
    for (let i = 0; i < 5; i++) {
      await store.put(`m/${i}`, Buffer.alloc(1_000_000, i));
      const copy = await store.materialize(`m/${i}`);
      copies.push(copy);
      // The first is in use, the others were asked for an hour ago.
      if (i > 0) await utimes(dirname(copy), new Date(), Date.now() / 1000 - 3600 + i);
    }
    await store.put('m/last', Buffer.alloc(10, 1));
    await store.materialize('m/last');
    expect(copies.map((copy) => existsSync(copy))).toEqual([true, false, false, true, true]);
    expect(readdirSync(join(cacheDir, 'blobs'))).toHaveLength(4);
    expect(readFileSync(await store.materialize('m/1')).equals(Buffer.alloc(1_000_000, 1))).toBe(true);
  });

  it('an object that was changed behind the store is an error when it is copied', async () => {
    const { store, bucket } = await fresh();
    await store.put('m/model.onnx', Buffer.from('sound'));
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'm/model.onnx', Body: 'damaged', Metadata: { sha256: sha256('sound') } }));
    await expect(store.materialize('m/model.onnx')).rejects.toMatchObject({ kind: 'conflict', code: 'artifact_corrupted' });
    expect((await store.open('m/model.onnx')).sha256).toBe(sha256('sound'));
  });

  it('an object that came past the store has no checksum until it is first copied', async () => {
    const { store, bucket } = await fresh();
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'x/y', Body: 'somebody' }));
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'x/', Body: '', ContentLength: 0 }));
    expect((await store.open('x/y')).sha256).toBeNull();
    expect(await store.list('x')).toEqual([{ path: 'x/y', isDirectory: false, size: 8 }]);
    await store.materialize('x');
    expect((await store.open('x/y')).sha256).toBe(sha256('somebody'));
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'x/y', Body: 'else' }));
    expect((await store.open('x/y')).sha256).toBeNull();
    await store.delete('x');
    expect(await keys(bucket)).toEqual([]);
  });

  describe('past the server', () => {
    const MIB = 1024 * 1024;
    const links = (store: ArtifactStore) => {
      if (store.direct === undefined) throw new Error('no links');
      return store.direct;
    };
    async function uploadParts(store: ArtifactStore, path: string, bodies: Buffer<ArrayBuffer>[]) {
      const { uploadId, links: targets } = await links(store).createMultipart(path, bodies.length);
      const parts = [];
      for (const [i, body] of bodies.entries()) {
        const reply = await fetch(targets[i]?.url ?? '', { method: 'PUT', body, headers: targets[i]?.headers ?? {} });
        expect(reply.status).toBe(200);
        parts.push({ number: i + 1, etag: reply.headers.get('etag') ?? '' });
      }
      return { uploadId, parts };
    }
    const bodies = [Buffer.alloc(5 * MIB, 1), Buffer.alloc(5 * MIB, 2), Buffer.from('the end')];

    it('a file is made of parts, in any order; saying so twice is harmless, and its checksum follows', async () => {
      const { store } = await fresh({ prefix: 'p' });
      const { uploadId, parts } = await uploadParts(store, 'm/big file', bodies);
      expect(await store.stat('m/big file')).toBeUndefined();
      for (let i = 0; i < 2; i++) await links(store).completeMultipart('m/big file', uploadId, parts.toReversed(), { maxBytes: 1e9 });
      const whole = Buffer.concat(bodies);
      expect((await readAll(store, 'm/big file')).equals(whole)).toBe(true);
      await expect.poll(async () => (await store.open('m/big file')).sha256).toBe(sha256(whole));
      await expect(links(store).completeMultipart('m/big file', uploadId, parts.slice(1), { maxBytes: 1e9 })).rejects.toMatchObject({
        code: 'multipart_upload_not_found',
      });
    });

    it('too much, an abort and a part that never came leave nothing', async () => {
      const { store, bucket } = await fresh();
      const over = await uploadParts(store, 'over', bodies);
      await expect(links(store).completeMultipart('over', over.uploadId, over.parts, { maxBytes: 10 * MIB })).rejects.toMatchObject({
        code: 'artifact_too_large',
      });
      const aborted = await uploadParts(store, 'aborted', bodies.slice(2));
      await links(store).abortMultipart('aborted', aborted.uploadId);
      const torn = await uploadParts(store, 'torn', bodies.slice(0, 1));
      const parts = [...torn.parts, { number: 2, etag: '"0123456789abcdef0123456789abcdef"' }];
      await expect(links(store).completeMultipart('torn', torn.uploadId, parts, { maxBytes: 1e9 })).rejects.toMatchObject({ kind: 'invalid' });
      await links(store).abortMultipart('torn', torn.uploadId);
      expect(await keys(bucket)).toEqual([]);
      expect((await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).toEqual([]);
    });

    it('links lead to one file, both ways, and no further than the store does', async () => {
      const { store } = await fresh({ prefix: 'p' });
      const up = await links(store).presignUpload('d/ü 1.txt', { expiresSeconds: 60 });
      expect((await fetch(up.url, { method: 'PUT', body: 'hello', headers: up.headers })).status).toBe(200);
      const down = await links(store).presignDownload('d/ü 1.txt', { expiresSeconds: 60, disposition: 'attachment; filename="x"' });
      expect(down.size).toBe(5);
      const reply = await fetch(down.url, { headers: down.headers });
      expect([await reply.text(), reply.headers.get('content-disposition')]).toEqual(['hello', 'attachment; filename="x"']);
      expect(down.url).not.toContain('test-secret');
      await expect(links(store).presignDownload('d/none', { expiresSeconds: 60, disposition: '' })).rejects.toMatchObject({ kind: 'not_found' });
      await expect(links(store).presignUpload('d', { expiresSeconds: 60 })).rejects.toMatchObject({ kind: 'conflict' });
      await expect(links(store).createMultipart('d/ü 1.txt/x', 1)).rejects.toMatchObject({ kind: 'conflict' });
      for (const path of ['../x', '.checksums/x', ''])
        await expect(links(store).presignUpload(path, { expiresSeconds: 60 })).rejects.toMatchObject({ code: 'artifact_path_invalid' });
    });

    it('ten thousand links are made, one more is refused, and a store can be told to make none', async () => {
      const { store, bucket, cacheDir } = await fresh();
      expect((await links(store).createMultipart('a', 10_000)).links).toHaveLength(10_000);
      await expect(links(store).createMultipart('a', 10_001)).rejects.toMatchObject({ kind: 'invalid' });
      const shy = await openS3ArtifactStore({ bucket, prefix: '', endpoint: s3.url, cacheDir, cacheBytes: 1e9, presigned: false });
      expect(shy.direct).toBeUndefined();
    }, 60_000);
  });

  it('a bucket that is not there is said when the store is opened, and when it goes later', async () => {
    const options = { prefix: '', endpoint: s3.url, cacheDir: temporaryFolder('cache'), cacheBytes: 1e9 };
    folders.push(options.cacheDir);
    await expect(openS3ArtifactStore({ ...options, bucket: 'nowhere' })).rejects.toMatchObject({
      kind: 'not_found',
      code: 'artifact_bucket_not_found',
      message: 'There is no bucket nowhere at the artifact store. Create it, or correct the artifacts setting.',
    });
    const { store, bucket } = await fresh();
    await fetch(`${s3.url}/${bucket}`, { method: 'DELETE' });
    for (const call of [() => store.put('a', Buffer.from('x')), () => store.open('a'), () => store.list(''), () => store.stat('a')])
      await expect(call()).rejects.toMatchObject({ code: 'artifact_bucket_not_found' });
  });

  it('a server that cannot be reached is no reason not to start, and can be tried again; so can one that goes and comes back', async () => {
    const other = await startS3Server();
    await other.bucket('there');
    const options = { bucket: 'there', prefix: '', endpoint: other.url, cacheDir: temporaryFolder('cache'), cacheBytes: 1e9 };
    folders.push(options.cacheDir);
    const early = await openS3ArtifactStore(options);
    await early.put('a', Buffer.from('x'));
    await other.stop();
    const late = await openS3ArtifactStore(options);
    for (const store of [early, late])
      for (const call of [() => store.put('a', Buffer.from('x')), () => store.open('a'), () => store.list(''), () => store.materialize('a')])
        await expect(call()).rejects.toMatchObject({ kind: 'unavailable', code: 'artifact_store_unreachable', retryAfterSeconds: 5 });
    const again = await startS3Server({ port: Number(new URL(other.url).port) });
    await again.bucket('there');
    for (const store of [early, late]) {
      await store.put('a', Buffer.from('back'));
      expect((await readAll(store, 'a')).toString()).toBe('back');
    }
    await again.stop();
  }, 120_000);

  it('credentials that the server does not know are refused when the store is opened', async () => {
    // moto checks who asks after the first so many calls.
    const strict = await startS3Server({ env: { INITIAL_NO_AUTH_ACTION_COUNT: '1' } });
    try {
      await strict.bucket('there');
      const options = { bucket: 'there', prefix: '', endpoint: strict.url, cacheDir: temporaryFolder('cache'), cacheBytes: 1e9 };
      folders.push(options.cacheDir);
      await expect(openS3ArtifactStore(options)).rejects.toMatchObject({ kind: 'denied', message: expect.stringMatching(/bucket there/) });
    } finally {
      await strict.stop();
    }
  }, 60_000);

  it('no error tells a credential', async () => {
    const options = { bucket: 'there', prefix: '', endpoint: 'http://127.0.0.1:1', cacheDir: temporaryFolder('cache'), cacheBytes: 1e9 };
    folders.push(options.cacheDir);
    const store = await openS3ArtifactStore(options);
    const error: unknown = await store.put('a', Buffer.from('x')).catch((thrown: unknown) => thrown);
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/test-key|test-secret|AWS4-HMAC/);
  });

  it('the parts of a stranger are not touched by what we abort', async () => {
    const { store, bucket } = await fresh();
    await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'theirs' }));
    await expect(
      store.put(
        'ours',
        (async function* () {
          yield Buffer.alloc(20_000_000);
          throw new Error('gone');
        })(),
      ),
    ).rejects.toThrow('gone');
    expect(((await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).map(({ Key }) => Key)).toEqual(['theirs']);
  });
});
