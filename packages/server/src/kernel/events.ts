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
  'files.orphaned': { kind: 'run' | 'logged model' | 'experiment'; id: string; path: string };
  'alarm.raised': { id: string; endpoint: string; feature: string | null; message: string };
}
export type EventType = keyof EventMap;
/** An event as a store writes it into the outbox, in the transaction of the change that it tells of. */
export type OutboxEvent = { [K in EventType]: { type: K; payload: EventMap[K] } }[EventType];

type Handler<K extends EventType> = (payload: EventMap[K]) => void | Promise<void>;

/**
 * Hands events to the rooms of this process, after the commit of what they tell of, at least once: one whose handler failed, or that a crash cut off,
 * comes again at the next start. Handlers run in a turn of their own.
 */
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

  /** Calls every handler; a failing one is logged and stops nobody. False when one failed. */
  async emit<K extends EventType>(type: K, payload: EventMap[K]): Promise<boolean> {
    const calls = [...(this.#handlers.get(type) ?? [])].map(async (handler) => {
      try {
        await Promise.resolve();
        await (handler as Handler<K>)(payload);
        return true;
      } catch (err) {
        this.#logger.error({ err, event: type }, 'an event handler failed; the event comes again at the next start');
        return false;
      }
    });
    return (await Promise.all(calls)).every(Boolean);
  }
}
