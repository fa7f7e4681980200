import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import { importsSuite } from '../ports/imports.suite.ts';

importsSuite('on SQLite', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-imports-'));
  const engine = await openSqlite({ file: join(dir, 'binnacle.db') });
  return {
    tracking: storeProxy(engine, 'tracking'),
    registry: storeProxy(engine, 'registry'),
    marks: storeProxy(engine, 'transfer'),
    close: async () => {
      await engine.close();
      rmSync(dir, { recursive: true });
    },
  };
});
