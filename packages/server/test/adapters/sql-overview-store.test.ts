import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import { overviewStoreSuite } from '../ports/overview-store.suite.ts';

overviewStoreSuite('on SQLite', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-overview-'));
  const engine = await openSqlite({ file: join(dir, 'binnacle.db') });
  return {
    overview: storeProxy(engine, 'overview'),
    tracking: storeProxy(engine, 'tracking'),
    registry: storeProxy(engine, 'registry'),
    close: async () => {
      await engine.close();
      rmSync(dir, { recursive: true });
    },
  };
});
