import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const python = process.env.BINNACLE_PYTHON ?? fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));

/** Whether scripts/requirements-real.txt is installed. */
export const hasS3Server = (): boolean => existsSync(python);

/** What a client needs to speak with the server below; none of it is a secret. */
export const S3_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test-key', AWS_SECRET_ACCESS_KEY: 'test-secret', AWS_EC2_METADATA_DISABLED: 'true' };

export interface S3Server {
  url: string;
  pid: number;
  /** Makes a bucket. */
  bucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** moto's S3 in a process of its own, on a free port of the loopback. */
export async function startS3Server(options: { port?: number; env?: Record<string, string> } = {}): Promise<S3Server> {
  const chosen = options.port ?? (await freePort());
  const child: ChildProcess = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(chosen)], {
    stdio: 'ignore',
    env: { ...process.env, ...options.env },
  });
  const url = `http://127.0.0.1:${chosen}`;
  for (let attempt = 0; ; attempt++) {
    const up = await fetch(`${url}/moto-api/`).then(
      (reply) => reply.ok,
      () => false,
    );
    if (up) break;
    if (child.exitCode !== null || attempt === 300) throw new Error(`moto did not start (${child.exitCode})`);
    await sleep(100);
  }
  return {
    url,
    pid: child.pid ?? 0,
    async bucket(name) {
      const reply = await fetch(`${url}/${name}`, { method: 'PUT' });
      if (!reply.ok) throw new Error(`the bucket ${name} was not made: ${await reply.text()}`);
    },
    async stop() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
