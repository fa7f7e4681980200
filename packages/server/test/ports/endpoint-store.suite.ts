import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutboxEvent } from '../../src/kernel/index.ts';
import type { EndpointStore } from '../../src/serving/index.ts';

const traffic = (version: number) => [{ version, weight: 100, shadow: false }] as never;

/** What every store of endpoints does. `events` are those that were delivered so far. */
export function endpointStoreSuite(name: string, make: () => Promise<{ store: EndpointStore; events: OutboxEvent[]; close(): Promise<void> }>): void {
  describe(`the endpoint store ${name}`, () => {
    let store: EndpointStore;
    let events: OutboxEvent[];
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, events, close } = await make());
    });
    afterEach(async () => close());
    const told = async (count: number) => {
      await expect.poll(() => events.length, { timeout: 10_000 }).toBe(count);
      return events.map(({ type, payload }) => [type, payload]);
    };

    it('an endpoint is made and changed under its name, each change a revision and an event', async () => {
      const made = await store.putEndpoint({ name: 'E ä', model: 'm', traffic: traffic(1), description: 'first' });
      expect(made).toMatchObject({ name: 'E ä', model: 'm', description: 'first', revision: 1, lastServed: [], traffic: traffic(1) });
      expect(await store.getEndpoint('E ä')).toEqual(made);
      const changed = await store.putEndpoint({ name: 'E ä', model: 'm', traffic: traffic(2) });
      expect(changed).toMatchObject({ description: 'first', revision: 2, traffic: traffic(2), createdAt: made.createdAt });
      expect(changed.updatedAt).toBeGreaterThanOrEqual(made.updatedAt);
      expect(await told(2)).toEqual([
        ['endpoint.changed', { endpoint: 'E ä', revision: 1 }],
        ['endpoint.changed', { endpoint: 'E ä', revision: 2 }],
      ]);
    });

    it('a configuration stays until another replaces it; unloading is a change, and deploying other traffic ends it', async () => {
      const config = { maxQueue: 5, batching: { preferredRows: [4, 8] } };
      expect(await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(1), config })).toMatchObject({ config, suspended: false });
      expect(await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(2) })).toMatchObject({ config });
      expect(await store.setSuspended('e', true)).toBe(true);
      expect(await store.setSuspended('e', true)).toBe(true);
      expect(await store.getEndpoint('e')).toMatchObject({ suspended: true, revision: 3, config });
      expect((await told(3)).at(-1)).toEqual(['endpoint.changed', { endpoint: 'e', revision: 3 }]);
      // Another configuration alone loads nothing; other traffic does.
      const reordered = [{ shadow: false, weight: 100, version: 2 }] as never;
      expect(await store.putEndpoint({ name: 'e', model: 'm', traffic: reordered, config: {} })).toMatchObject({ suspended: true, config: {} });
      expect(await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(3) })).toMatchObject({ suspended: false, config: {} });
      expect(await store.setSuspended('none', true)).toBe(false);
    });

    it('what changed is remembered with its reason, newest first, and goes with the endpoint', async () => {
      await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(1) });
      await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(2), change: { kind: 'rolled_back', reason: 'too slow' } });
      await store.setSuspended('e', true);
      await store.setSuspended('e', true);
      const changes = await store.listChanges('e', 10);
      expect(changes.map(({ revision, kind, reason }) => [revision, kind, reason])).toEqual([
        [3, 'unloaded', ''],
        [2, 'rolled_back', 'too slow'],
        [1, 'deployed', ''],
      ]);
      expect(changes.map((change) => change.traffic)).toEqual([traffic(2), traffic(2), traffic(1)]);
      expect(changes.every(({ at }) => Math.abs(at - Date.now()) < 60_000)).toBe(true);
      expect(await store.listChanges('e', 1)).toHaveLength(1);
      await store.deleteEndpoint('e');
      await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(7) });
      expect((await store.listChanges('e', 10)).map(({ revision }) => revision)).toEqual([1]);
    });

    it('keeps the last 200 changes', async () => {
      for (let i = 0; i < 205; i++) await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(i + 1) });
      const changes = await store.listChanges('e', 1000);
      expect([changes.length, changes[0]?.revision, changes.at(-1)?.revision]).toEqual([200, 205, 6]);
    });

    it('a change that was decided on an older revision is refused', async () => {
      await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(1) });
      await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(2), ifRevision: 1 });
      await expect(store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(3), ifRevision: 1 })).rejects.toMatchObject({
        kind: 'conflict',
        code: 'endpoint_changed',
      });
      expect(await store.getEndpoint('e')).toMatchObject({ revision: 2, traffic: traffic(2) });
    });

    it('an endpoint serves one model', async () => {
      await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(1) });
      await expect(store.putEndpoint({ name: 'e', model: 'other', traffic: traffic(1) })).rejects.toMatchObject({
        kind: 'conflict',
        code: 'endpoint_model_fixed',
      });
      expect(await store.getEndpoint('e')).toMatchObject({ model: 'm', revision: 1 });
      expect(await told(1)).toHaveLength(1);
    });

    it('endpoints are listed by the bytes of their names, and case and accents count', async () => {
      for (const one of ['b', 'B', 'a', 'ä', 'a\u0308', 'Z']) await store.putEndpoint({ name: one, model: 'm', traffic: traffic(1) });
      expect((await store.listEndpoints()).map((endpoint) => endpoint.name)).toEqual(['B', 'Z', 'a', 'a\u0308', 'b', 'ä']);
      expect(await store.getEndpoint('A')).toBeNull();
    });

    it('what was served last is remembered without an event, and goes with the endpoint', async () => {
      await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(1) });
      const served = [{ version: 1, weight: 100, shadow: false }];
      await store.setLastServed('e', served);
      expect(await store.getEndpoint('e')).toMatchObject({ lastServed: served, revision: 1 });
      await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(2) });
      expect((await store.getEndpoint('e'))?.lastServed).toEqual(served);
      expect(await store.deleteEndpoint('e')).toBe(true);
      expect(await store.deleteEndpoint('e')).toBe(false);
      expect(await store.getEndpoint('e')).toBeNull();
      // The name is free, for another model, too.
      expect(await store.putEndpoint({ name: 'e', model: 'other', traffic: traffic(1) })).toMatchObject({ revision: 1, lastServed: [] });
      expect((await told(4)).map(([type]) => type)).toEqual(['endpoint.changed', 'endpoint.changed', 'endpoint.deleted', 'endpoint.changed']);
    });

    it('changes that meet are done one after the other', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, i) => store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(i + 1) })));
      expect(await store.getEndpoint('e')).toMatchObject({ revision: 20 });
      const revisions = (await told(20)).map(([, payload]) => (payload as unknown as { revision: number }).revision);
      expect(revisions.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });
  });
}
