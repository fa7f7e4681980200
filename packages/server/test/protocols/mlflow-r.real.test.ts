import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../support/server.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('./r/calls.R', import.meta.url));
const hasR = await run('Rscript', ['-e', 'library(httr)']).then(
  () => true,
  () => false,
);

describe.skipIf(!hasR)('R (needs Rscript with httr)', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    if (server !== undefined) rmSync(server.dataDir, { recursive: true, force: true });
  });

  it('makes the calls of its MLflow client, from httr and with every scalar as text', async () => {
    const { stdout } = await run('Rscript', [script, server.url]);
    expect(stdout.split('\n').filter((line) => line.startsWith('ok '))).toEqual(['ok experiments', 'ok runs', 'ok registry']);
  }, 120_000);
});
