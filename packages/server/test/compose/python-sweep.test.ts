import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sweepPython } from '../../src/compose/python.ts';
import type { Config } from '../../src/config/index.ts';
import { silentLogger } from '../../src/kernel/index.ts';

it('ends what a killed server left running, whatever the mode is today', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'binnacle-sweep-'));
  const id = 'd'.repeat(32);
  const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore', env: { BINNACLE_SERVICE: id } });
  const docker = process.env.DOCKER_HOST;
  process.env.DOCKER_HOST = `unix://${dataDir}/no-docker.sock`;
  try {
    const ended = new Promise((resolve) => left.once('exit', (_code, signal) => resolve(signal)));
    mkdirSync(join(dataDir, 'run', id), { recursive: true });
    const serving = { python: 'off', pythonNetwork: 'none', pythonEnv: [] } as unknown as Config['serving'];
    await sweepPython({ dataDir, serving } as Config, silentLogger);
    expect(await ended).toBe('SIGTERM');
    expect(existsSync(join(dataDir, 'run', id))).toBe(false);
  } finally {
    if (docker === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = docker;
    left.kill('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  }
});
