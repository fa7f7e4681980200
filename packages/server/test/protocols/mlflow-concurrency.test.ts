import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe } from 'vitest';
import { concurrencySuite } from '../faults/concurrency.suite.ts';
import { pagesSuite } from '../faults/pages.suite.ts';
import { type RunningServer, startServer } from '../support/server.ts';

describe('32 clients on SQLite', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server.stop();
    rmSync(server.dataDir, { recursive: true, force: true });
  });
  concurrencySuite(() => server.url);
  pagesSuite(() => server.url);
});
