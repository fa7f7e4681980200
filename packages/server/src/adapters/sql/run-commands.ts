import type { Kysely } from 'kysely';
import { internal, type OutboxEvent } from '../../kernel/index.ts';
import type { StoreCommand, StoreContext } from './engine.ts';
import { insertForId } from './insert-id.ts';
import type { Database } from './schema/index.ts';
import { stores } from './stores.ts';

export interface StoredEvent {
  id: number;
  event: OutboxEvent;
}

/** Runs the commands of one request in the transaction that `db` is in; the events that they emit are added to `events`. */
export async function runCommands(db: Kysely<Database>, commands: readonly StoreCommand[], events: StoredEvent[]): Promise<unknown[]> {
  const ctx: StoreContext = {
    db,
    now: Date.now,
    async emit(event) {
      const row = { type: event.type, payload: JSON.stringify(event.payload), created_at: Date.now() };
      events.push({ id: await insertForId(db, 'outbox', row), event });
    },
  };
  const values: unknown[] = [];
  for (const { store, method, args } of commands) {
    const Store = stores[store];
    const instance = Store === undefined ? undefined : (new Store(ctx) as Record<string, (...args: unknown[]) => Promise<unknown>>);
    const fn = instance?.[method];
    if (typeof fn !== 'function') throw internal('unknown_store_method', `No store method ${store}.${method}`);
    values.push(await fn.apply(instance, args));
  }
  return values;
}
