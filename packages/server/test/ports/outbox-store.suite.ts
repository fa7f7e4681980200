import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SqlEngine, storeProxy } from '../../src/adapters/sql/index.ts';
import type { OutboxEvent } from '../../src/kernel/index.ts';
import type { EndpointStore } from '../../src/serving/index.ts';

type Handler = (event: OutboxEvent) => Promise<boolean> | boolean;
type Pending = { id: number; event: OutboxEvent }[];

/** How every engine delivers events: at least once, after the commit, over the death of the process. `open` opens the same database again. */
export function outboxSuite(name: string, make: () => Promise<{ open(onEvent: Handler): Promise<SqlEngine>; remove(): Promise<void> }>): void {
  describe(`the outbox ${name}`, () => {
    let open: (onEvent: Handler) => Promise<SqlEngine>;
    let remove: () => Promise<void>;
    const engines: SqlEngine[] = [];
    beforeEach(async () => {
      ({ open, remove } = await make());
    });
    afterEach(async () => {
      for (const engine of engines.splice(0)) await engine.close();
      await remove();
    });
    const opened = async (onEvent: Handler) => {
      const engine = await open(onEvent);
      engines.push(engine);
      return engine;
    };
    const closed = async (engine: SqlEngine) => {
      engines.splice(engines.indexOf(engine), 1);
      await engine.close();
    };
    const change = (engine: SqlEngine, endpoint: string, model = 'm') =>
      storeProxy<EndpointStore>(engine, 'serving').putEndpoint({ name: endpoint, model, traffic: [{ version: 1, weight: 100, shadow: false }] as never });
    const pending = (engine: SqlEngine) => engine.call({ store: 'outbox', method: 'pending', args: [] }) as Promise<Pending>;

    it('an event that was handled is gone, and one that was not comes again after the next start, in order', async () => {
      const first = await opened(({ payload }) => (payload as { endpoint: string }).endpoint === 'b');
      for (const endpoint of ['a', 'b', 'c']) await change(first, endpoint);
      await expect.poll(async () => (await pending(first)).length, { timeout: 10_000 }).toBe(2);
      await closed(first);
      const seen: OutboxEvent[] = [];
      const second = await opened((event) => seen.push(event) > 0);
      expect(seen).toEqual([]);
      await second.redeliver();
      expect(seen).toEqual(['a', 'c'].map((endpoint) => ({ type: 'endpoint.changed', payload: { endpoint, revision: 1 } })));
      await expect.poll(() => pending(second), { timeout: 10_000 }).toEqual([]);
      await second.redeliver();
      expect(seen).toHaveLength(2);
    });

    it('an event is told after its change can be read, and not at all when the change was undone', async () => {
      const readable: unknown[] = [];
      const engine: SqlEngine = await opened(async ({ payload }) => {
        const { endpoint } = payload as { endpoint: string };
        readable.push(await storeProxy<EndpointStore>(engine, 'serving').getEndpoint(endpoint));
        return true;
      });
      await change(engine, 'e');
      await expect(change(engine, 'e', 'another')).rejects.toMatchObject({ code: 'endpoint_model_fixed' });
      const both = [
        { store: 'serving', method: 'putEndpoint', args: [{ name: 'f', model: 'm', traffic: [] }] },
        { store: 'serving', method: 'putEndpoint', args: [{ name: 'e', model: 'another', traffic: [] }] },
      ];
      await expect(engine.transaction(both)).rejects.toMatchObject({ code: 'endpoint_model_fixed' });
      await change(engine, 'g');
      await expect.poll(() => readable.length, { timeout: 10_000 }).toBe(2);
      expect(readable).toMatchObject([{ name: 'e' }, { name: 'g' }]);
      await expect.poll(() => pending(engine), { timeout: 10_000 }).toEqual([]);
    });

    it('acknowledging is repeatable, and of nothing is nothing', async () => {
      const engine = await opened(() => false);
      await change(engine, 'a');
      await change(engine, 'b');
      const [a] = (await pending(engine)) as [Pending[number], ...Pending];
      for (const ids of [[a.id], [a.id], [], [a.id, 999_999]]) await engine.call({ store: 'outbox', method: 'acknowledge', args: [ids] });
      expect((await pending(engine)).map(({ event }) => event.payload)).toEqual([{ endpoint: 'b', revision: 1 }]);
    });
  });
}
