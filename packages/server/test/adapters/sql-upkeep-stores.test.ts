import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite, storeProxy } from '../../src/adapters/sql/index.ts';
import type { OutboxEvent } from '../../src/kernel/index.ts';
import { endpointStoreSuite } from '../ports/endpoint-store.suite.ts';
import { garbageStoreSuite } from '../ports/garbage-store.suite.ts';
import { outboxSuite } from '../ports/outbox-store.suite.ts';

async function subject() {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-upkeep-'));
  const events: OutboxEvent[] = [];
  const engine = await openSqlite({ file: join(dir, 'binnacle.db'), onEvent: (event) => void events.push(event) });
  const close = async () => {
    await engine.close();
    rmSync(dir, { recursive: true });
  };
  return { engine, events, close };
}

garbageStoreSuite('on SQLite', async () => {
  const { engine, ...rest } = await subject();
  return { garbage: storeProxy(engine, 'garbage'), tracking: storeProxy(engine, 'tracking'), registry: storeProxy(engine, 'registry'), ...rest };
});
endpointStoreSuite('on SQLite', async () => {
  const { engine, ...rest } = await subject();
  return { store: storeProxy(engine, 'serving'), ...rest };
});
outboxSuite('on SQLite', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'binnacle-outbox-'));
  return { open: (onEvent) => openSqlite({ file: join(dir, 'binnacle.db'), onEvent }), remove: async () => rmSync(dir, { recursive: true }) };
});
