import type { Kysely } from 'kysely';
import type { OutboxEvent } from '../../kernel/index.ts';
import type { Database } from './schema/index.ts';

/** What a store is made with, once a transaction: it must use this handle and no other, and never begin a transaction itself. */
export interface StoreContext {
  db: Kysely<Database>;
  /** Writes an event into the outbox, in this transaction; it is delivered after the commit. */
  emit(event: OutboxEvent): Promise<void>;
  now(): number;
}

/** A class of store methods. Each call is one transaction; methods named in `reads` run on a read-only connection beside the writer. */
export interface StoreClass {
  new (ctx: StoreContext): object;
  readonly reads: ReadonlySet<string>;
  /**
   * The one thing that a writing method changes, by method and from its arguments; null for a method that only adds what nobody knows yet.
   * Where writers run side by side, those of the same thing wait for each other, and those that are not named here wait for all of their store.
   */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly scopes?: Readonly<Record<string, (...args: any[]) => string | null>>;
  /** Stores whose writers wait for those of this one, and it for them: it changes what is theirs. */
  readonly excludes?: readonly string[];
}

/** One command of a transaction that spans stores. */
export interface StoreCommand {
  store: string;
  method: string;
  args: unknown[];
}

/** Runs store methods, each call a transaction. SQLite runs them in a worker thread; PostgreSQL and MySQL in process. */
export interface SqlEngine {
  call(command: StoreCommand): Promise<unknown>;
  /** All commands in one transaction, in order; all or nothing. */
  transaction(commands: StoreCommand[]): Promise<unknown[]>;
  /** Delivers the events that a former process committed and did not get handled. Called once, when the rooms have subscribed; never rejects. */
  redeliver(): Promise<void>;
  /** Whether this process is the one of those on the database that has the lease of that name: it is asked for, and kept as long as the process lives. */
  lease(name: string): Promise<boolean>;
  close(): Promise<void>;
}

/** A room's store port backed by an engine: every method becomes one message and one transaction. */
export function storeProxy<S extends object>(engine: SqlEngine, store: string): S {
  return new Proxy({} as S, {
    get(_target, method) {
      if (typeof method !== 'string' || method === 'then') return undefined;
      return (...args: unknown[]) => engine.call({ store, method, args });
    },
  });
}
