import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import type { OutboxEvent } from '../../src/kernel/index.ts';
import { batchStoreSuite } from '../ports/batch-store.suite.ts';

batchStoreSuite('on SQLite', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-batch-store-'));
  const events: OutboxEvent[] = [];
  const engine = await openSqlite({ file: join(dir, 'binnacle.db'), onEvent: (event) => void events.push(event) });
  return {
    store: storeProxy(engine, 'batch'),
    events,
    close: async () => {
      await engine.close();
      rmSync(dir, { recursive: true });
    },
  };
});
