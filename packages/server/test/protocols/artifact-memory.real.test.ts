import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasS3Server, S3_CREDENTIALS, type S3Server, startS3Server } from '../support/s3-server.ts';
import { type RunningServer, startServer } from '../support/server.ts';

const MIB = 2 ** 20;
/** Of the larger of two uploads; BINNACLE_TEST_UPLOAD_MIB=5120 shows the same for 5 GiB. */
const LARGE = Number(process.env.BINNACLE_TEST_UPLOAD_MIB ?? 1024);

/** The most memory that a process has held so far, MiB. */
const peak = (pid: number): number => Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

/** So many MiB, each another; made as they are sent. */
function* body(mib: number): Generator<Buffer> {
  const chunk = Buffer.alloc(MIB, 'Binnacle');
  for (let i = 0; i < mib; i++) {
    chunk.writeUInt32LE(i);
    yield Buffer.from(chunk);
  }
}

async function upload(url: string, mib: number): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const outgoing = request(url, { method: 'PUT', headers: { 'content-length': mib * MIB } }, (reply) => {
    reply.resume().on('end', () => resolve(reply.statusCode));
  }).on('error', reject);
  await pipeline(body(mib), outgoing);
  return promise;
}

async function digestOf(url: string): Promise<string> {
  const hash = createHash('sha256');
  const reply = await fetch(url);
  for await (const chunk of reply.body ?? []) hash.update(chunk);
  return hash.digest('hex');
}

describe.runIf(process.platform === 'linux').each(['a folder', 'a bucket'])('large files in %s', (where) => {
  let s3: S3Server | undefined;
  let server: RunningServer;
  beforeAll(async () => {
    if (where === 'a folder') server = await startServer();
    else if (hasS3Server()) {
      s3 = await startS3Server();
      await s3.bucket('large');
      server = await startServer({ args: ['--artifacts', `s3://large?endpoint=${s3.url}`], env: S3_CREDENTIALS });
    }
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await s3?.stop();
    if (server !== undefined) rmSync(server.dataDir, { recursive: true, force: true });
  });

  it.skipIf(where === 'a bucket' && !hasS3Server())(
    'pass both ways, and a larger one takes no more memory',
    async () => {
      const at = (name: string) => `${server.url}/api/2.0/mlflow-artifacts/artifacts/${name}`;
      expect(await upload(at('small'), 128)).toBe(200);
      await digestOf(at('small'));
      const before = peak(server.pid);
      const started = performance.now();
      expect(await upload(at('large'), LARGE)).toBe(200);
      const up = performance.now();
      const expected = createHash('sha256');
      for (const chunk of body(LARGE)) expected.update(chunk);
      expect(await digestOf(at('large'))).toBe(expected.digest('hex'));
      const after = peak(server.pid);
      console.log(
        `${where}: ${LARGE} MiB up in ${Math.round(up - started)} ms, down in ${Math.round(performance.now() - up)} ms; peak memory ${before} MiB after 128 MiB, ${after} MiB after all`,
      );
      expect(after).toBeLessThan(before + 128);
    },
    600_000,
  );
});
