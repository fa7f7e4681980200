import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import { nodeSqliteDialect } from '../../src/adapters/sql/sqlite/dialect.ts';
import type { TrackingStore } from '../../src/tracking/index.ts';
import type { GarbageStore } from '../../src/upkeep/index.ts';
import { runGroupsSuite } from '../ports/run-groups.suite.ts';
import { oldDatabaseSuite } from '../ports/old-database.suite.ts';
import { seriesStoreSuite } from '../ports/series-store.suite.ts';
import { trackingStoreSuite } from '../ports/tracking-store.suite.ts';

const open = async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-tracking-'));
  const engine = await openSqlite({ file: join(dir, 'binnacle.db') });
  return {
    store: storeProxy<TrackingStore>(engine, 'tracking'),
    garbage: storeProxy<GarbageStore>(engine, 'garbage'),
    async close() {
      await engine.close();
      rmSync(dir, { recursive: true });
    },
  };
};
trackingStoreSuite('SQLite', open);
runGroupsSuite('SQLite', open);
seriesStoreSuite('SQLite', open);
oldDatabaseSuite('SQLite', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-old-'));
  const file = join(dir, 'binnacle.db');
  return {
    old: new Kysely<unknown>({ dialect: nodeSqliteDialect(new DatabaseSync(file)) }),
    async reopen() {
      const engine = await openSqlite({ file });
      return {
        store: storeProxy<TrackingStore>(engine, 'tracking'),
        async close() {
          await engine.close();
          rmSync(dir, { recursive: true });
        },
      };
    },
  };
});
