import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import type { TrackingStore } from '../../src/tracking/index.ts';
import { runGroupsSuite } from '../ports/run-groups.suite.ts';
import { seriesStoreSuite } from '../ports/series-store.suite.ts';
import { trackingStoreSuite } from '../ports/tracking-store.suite.ts';

const open = async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-tracking-'));
  const engine = await openSqlite({ file: join(dir, 'binnacle.db') });
  return {
    store: storeProxy<TrackingStore>(engine, 'tracking'),
    async close() {
      await engine.close();
      rmSync(dir, { recursive: true });
    },
  };
};
trackingStoreSuite('SQLite', open);
runGroupsSuite('SQLite', open);
seriesStoreSuite('SQLite', open);
