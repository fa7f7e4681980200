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

it('an event that was not handled comes again after the next start, and one that was does not', async () => {
  const seen: string[] = [];
  const reopen = async (handled: boolean) => {
    await engine.close();
    engine = await openSqlite({
      file: join(dir, 'binnacle.db'),
      onEvent: async ({ type, payload }) => {
        // Later than the commit's reply, as a handler that works with the store is.
        await new Promise((resolve) => setTimeout(resolve, 5));
        seen.push(`${type} ${(payload as { version: number }).version}`);
        return handled;
      },
    });
  };
  await reopen(false);
  await engine.call({ store: 'registry', method: 'createModel', args: [{ name: 'm', description: '', tags: {} }] });
  const version = { model: 'm', source: 's', storageUri: 's', runId: null, runLink: '', loggedModelId: null, description: '', tags: {} };
  const facts = {
    storagePath: null,
    flavors: [],
    signature: null,
    tensors: null,
    graphPath: null,
    graphSha256: null,
    externalFiles: [],
    derivedPath: null,
    metadata: {},
    sizeBytes: null,
    servable: false,
    statusMessage: '',
  };
  await engine.call({ store: 'registry', method: 'createVersion', args: [{ ...version, facts }] });
  await expect.poll(() => seen).toEqual(['model-version.created 1']);
  await reopen(true);
  // Not before the rooms have subscribed.
  expect(seen).toHaveLength(1);
  await engine.redeliver();
  expect(seen).toHaveLength(2);
  await reopen(true);
  await engine.redeliver();
  expect(seen).toHaveLength(2);
});
