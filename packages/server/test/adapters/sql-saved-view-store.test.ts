import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import { savedViewStoreSuite } from '../ports/saved-view-store.suite.ts';

savedViewStoreSuite('on SQLite', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-views-'));
  const engine = await openSqlite({ file: join(dir, 'binnacle.db') });
  return {
    views: storeProxy(engine, 'savedViews'),
    tracking: storeProxy(engine, 'tracking'),
    garbage: storeProxy(engine, 'garbage'),
    close: async () => {
      await engine.close();
      rmSync(dir, { recursive: true });
    },
  };
});
