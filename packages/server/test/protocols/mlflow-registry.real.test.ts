import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';

const python = fileURLToPath(new URL('../../../../.cache/venv/bin/python', import.meta.url));
const script = fileURLToPath(new URL('./python/registry_journey.py', import.meta.url));

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(async () => {
  await server.stop();
});

it('the unmodified mlflow client logs, registers, promotes, searches, loads back, and meets a gate', async () => {
  const { stdout } = await promisify(execFile)(python, [script, server.url, 'gates'], { timeout: 280_000, maxBuffer: 16 * 1024 * 1024 });
  expect(stdout.split('\n').filter((line) => line.startsWith('ok '))).toHaveLength(11);
  expect(stdout).toContain('done');
}, 300_000);
