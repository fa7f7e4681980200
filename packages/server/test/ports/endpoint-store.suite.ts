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

    it('a configuration stays until another replaces it; unloading is a change, and deploying ends it', async () => {
      const config = { maxQueue: 5, batching: { preferredRows: [4, 8] } };
      expect(await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(1), config })).toMatchObject({ config, suspended: false });
      expect(await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(2) })).toMatchObject({ config });
      expect(await store.setSuspended('e', true)).toBe(true);
      expect(await store.setSuspended('e', true)).toBe(true);
      expect(await store.getEndpoint('e')).toMatchObject({ suspended: true, revision: 3, config });
      expect((await told(3)).at(-1)).toEqual(['endpoint.changed', { endpoint: 'e', revision: 3 }]);
      expect(await store.putEndpoint({ name: 'e', model: 'm', traffic: traffic(2), config: {} })).toMatchObject({ suspended: false, config: {} });
      expect(await store.setSuspended('none', true)).toBe(false);
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
