import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SqlEngine } from '../engine.ts';
import { openSqlite } from './engine.ts';

let dir: string;
let engine: SqlEngine;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'binnacle-sql-'));
  engine = await openSqlite({ file: join(dir, 'binnacle.db') });
});
afterEach(async () => {
  await engine.close();
  rmSync(dir, { recursive: true });
});

it('an unknown store method rejects the call and the engine goes on', async () => {
  await expect(engine.call({ store: 'outbox', method: 'nope', args: [] })).rejects.toThrow('No store method outbox.nope');
  await expect(engine.call({ store: 'outbox', method: 'pending', args: [] })).resolves.toEqual([]);
});

it('a database can be closed and opened again without migrating twice', async () => {
  await engine.close();
  engine = await openSqlite({ file: join(dir, 'binnacle.db') });
  await expect(engine.call({ store: 'outbox', method: 'pending', args: [] })).resolves.toEqual([]);
});
