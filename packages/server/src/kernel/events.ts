import type { Logger } from './logger.ts';

/** Everything a room tells the others. Events hint; state is reconciled by revision, so a missed one costs seconds, never correctness. */
export interface EventMap {
  'run.finished': { runId: string; experimentId: string; status: string };
  'model-version.created': { model: string; version: number; runId: string | null };
  'model-version.deleted': { model: string; version: number };
  'alias.moved': { model: string; alias: string; version: number | null; previous: number | null; forced: boolean };
  'endpoint.changed': { endpoint: string; revision: number };
  'endpoint.deleted': { endpoint: string };
  'batch.finished': { jobId: string; state: string; model: string; version: number };
  'alarm.raised': { id: string; endpoint: string; feature: string | null; message: string };
}
export type EventType = keyof EventMap;
/** An event as a store writes it into the outbox, in the transaction of the change that it tells of. */
export type OutboxEvent = { [K in EventType]: { type: K; payload: EventMap[K] } }[EventType];

type Handler<K extends EventType> = (payload: EventMap[K]) => void | Promise<void>;

/** Hands events to the rooms of this process, after the commit of what they tell of. Handlers run in a turn of their own. */
export class EventBus {
  readonly #handlers = new Map<EventType, Set<Handler<never>>>();
  readonly #logger: Logger;
  constructor(logger: Logger) {
    this.#logger = logger;
  }

  on<K extends EventType>(type: K, handler: Handler<K>): () => void {
    const set = this.#handlers.get(type) ?? new Set();
    set.add(handler as Handler<never>);
    this.#handlers.set(type, set);
    return () => set.delete(handler as Handler<never>);
  }

  /** Calls every handler; a failing one is logged and stops nobody. */
  emit<K extends EventType>(type: K, payload: EventMap[K]): void {
    for (const handler of this.#handlers.get(type) ?? []) {
      Promise.resolve()
        .then(() => (handler as Handler<K>)(payload))
        .catch((err: unknown) => this.#logger.error({ err, event: type }, 'an event handler failed'));
    }
  }
}
