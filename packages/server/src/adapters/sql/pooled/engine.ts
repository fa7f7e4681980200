import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { BinnacleError, internal, type OutboxEvent, unavailable } from '../../../kernel/index.ts';
import type { SqlEngine, StoreCommand } from '../engine.ts';
import { runCommands, type StoredEvent } from '../run-commands.ts';
import type { Database } from '../schema/index.ts';
import { stores } from '../stores.ts';
import { type Lock, locksOf, queueOf } from './locks.ts';
import type { Presence } from './presence.ts';

/** What became of a statement that failed, as far as trying again goes. */
export type Verdict =
  /** Another transaction was in the way; nothing of this one is left. */
  | 'contended'
  /** A row with this key has come meanwhile: read again, and it is seen. */
  | 'duplicate'
  /** The server or the connection is gone. */
  | 'lost';

/** A database server: what its driver does its own way. */
export interface PooledDatabase {
  /** Lends a connection. The last statement on it is awaited before it is given back. */
  connection<T>(work: (connection: Kysely<Database>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
  /** Statements go out without waiting for the answers to those before, and are carried out in that order; else one awaits the other. */
  pipelined: boolean;
  /** Where it is, without a password, for messages. */
  place: string;
  /** Begins a transaction that sees what is committed when each of its statements begins. */
  beginWrite(connection: Kysely<Database>): Promise<void>;
  /** Begins one that sees one state throughout. */
  beginRead(connection: Kysely<Database>): Promise<void>;
  /** Takes locks that end with the transaction, in the order given. */
  lock(connection: Kysely<Database>, locks: readonly Lock[]): Promise<void>;
  commit(connection: Kysely<Database>): Promise<void>;
  run(connection: Kysely<Database>, statement: string): Promise<void>;
  verdict(error: unknown): Verdict | undefined;
  /** The error as a room may show it; those that it does not know come back as they are. */
  translate(error: unknown): unknown;
}

export interface PooledEngineOptions {
  /** Called after the commit of the change that an event tells of. Acknowledged once it has come true; else it comes again after the next start. */
  onEvent?: (event: OutboxEvent) => Promise<boolean> | boolean | void;
}

/** Requests taken into one commit; bounds the time a reply may wait for its neighbours. */
const MAX_GROUP = 64;
/** Tries of a transaction that others were in the way of. */
const MAX_TRIES = 12;
/** Tries when a key turned up meanwhile; a second time it is seen, so more says that the row itself is wrong. */
const MAX_DUPLICATES = 4;

interface Request {
  commands: readonly StoreCommand[];
  locks: readonly Lock[];
  resolve(values: unknown[]): void;
  reject(error: unknown): void;
}
type Outcome = { values: unknown[] } | { error: unknown };

/** Why a group as a whole came to nothing. */
class GroupFailed extends Error {
  readonly reason: unknown;
  readonly verdict: Verdict | undefined;
  constructor(reason: unknown, verdict: Verdict | undefined) {
    super('the group failed', { cause: reason });
    this.reason = reason;
    this.verdict = verdict;
  }
}

/**
 * Runs store methods in this process over a pool of connections. Requests that change the same thing queue here, and those that queued up
 * during a commit go into the next one, a savepoint each; requests that change different things go side by side. Reads see one state each.
 */
class PooledEngine implements SqlEngine {
  readonly #database: PooledDatabase;
  readonly #presence: Presence;
  readonly #onEvent: PooledEngineOptions['onEvent'];
  readonly #queues = new Map<string, Request[]>();
  readonly #running = new Set<Promise<unknown>>();
  #pending: StoredEvent[] = [];
  #closed = false;

  constructor(database: PooledDatabase, presence: Presence, options: PooledEngineOptions) {
    this.#database = database;
    this.#presence = presence;
    this.#onEvent = options.onEvent;
  }

  /** Notes what a former process left in the outbox. */
  async open(): Promise<void> {
    this.#pending = (await this.call({ store: 'outbox', method: 'pending', args: [] })) as StoredEvent[];
  }

  async call(command: StoreCommand): Promise<unknown> {
    return (await this.transaction([command]))[0];
  }

  transaction(commands: StoreCommand[]): Promise<unknown[]> {
    if (this.#closed) return Promise.reject(internal('database_closed', 'The database is closed.'));
    return this.#track(commands.every(({ store, method }) => stores[store]?.reads.has(method) === true) ? this.#read(commands) : this.#write(commands));
  }

  redeliver(): Promise<void> {
    return this.#deliver(this.#pending.splice(0));
  }

  lease(name: string): Promise<boolean> {
    return this.#presence.lease(name);
  }

  async close(): Promise<void> {
    // Events are still delivered and acknowledged.
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    this.#closed = true;
    await this.#presence.close();
    await this.#database.close();
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    void this.#untracked(work);
    return work;
  }

  async #untracked(work: Promise<unknown>): Promise<void> {
    await Promise.allSettled([work]);
    this.#running.delete(work);
  }

  async #read(commands: readonly StoreCommand[]): Promise<unknown[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#database.connection(async (connection) => {
          const begun = this.#database.beginRead(connection);
          if (!this.#database.pipelined) await begun;
          // Of both that fail the first one tells why.
          const values = () => Promise.all([begun, runCommands(connection, commands, [])]).then(([, all]) => all);
          return await this.#ended(connection, values);
        });
      } catch (error) {
        // A connection that stood idle while the server was started anew is found broken once; then there is a new one.
        if (this.#database.verdict(error) === undefined || tries > 1) throw this.#database.translate(error);
      }
    }
  }

  async #write(commands: readonly StoreCommand[]): Promise<unknown[]> {
    const locks = locksOf(stores, commands);
    const { promise, resolve, reject } = Promise.withResolvers<unknown[]>();
    const request: Request = { commands, locks, resolve, reject };
    const name = queueOf(locks);
    const queue = name === undefined ? undefined : this.#queues.get(name);
    if (queue !== undefined) {
      queue.push(request);
    } else if (name === undefined) {
      void this.#answer([request]);
    } else {
      const requests = [request];
      this.#queues.set(name, requests);
      void this.#pump(name, requests);
    }
    return promise;
  }

  async #pump(name: string, queue: Request[]): Promise<void> {
    while (queue.length > 0) await this.#answer(queue.splice(0, MAX_GROUP));
    this.#queues.delete(name);
  }

  /** Runs requests that hold the same locks in one transaction, and answers each. Never rejects. */
  async #answer(group: Request[]): Promise<void> {
    const outcomes = await this.#outcomes(group).catch((error: unknown) => group.map((): Outcome => ({ error })));
    for (const [i, { resolve, reject }] of group.entries()) {
      const outcome = outcomes[i] as Outcome;
      if ('values' in outcome) resolve(outcome.values);
      else reject(this.#database.translate(outcome.error));
    }
  }

  async #outcomes(group: Request[]): Promise<Outcome[]> {
    for (let tries = 1; ; tries++) {
      if (this.#presence.refusal !== undefined) throw this.#presence.refusal;
      try {
        return await this.#attempt(group);
      } catch (failure) {
        if (!(failure instanceof GroupFailed)) throw failure;
        const { reason, verdict } = failure;
        if (verdict === undefined) throw reason;
        if (verdict === 'lost' && tries >= 2) throw reason;
        // One that always fails must not take its neighbours with it.
        if (verdict !== 'lost' && group.length > 1) {
          const alone: Outcome[] = [];
          for (const request of group) alone.push(...(await this.#outcomes([request]).catch((error: unknown): Outcome[] => [{ error }])));
          return alone;
        }
        if (verdict === 'duplicate' && tries >= MAX_DUPLICATES) throw reason;
        if (tries >= MAX_TRIES)
          throw unavailable('database_busy', `Other writers of ${this.#database.place} were in the way ${tries} times. Try again.`, {
            cause: reason,
            retryAfterSeconds: 1,
          });
        await sleep(Math.random() * Math.min(200, 2 ** tries));
      }
    }
  }

  /** One transaction. A member's own error is its outcome; anything else undoes all and throws. */
  async #attempt(group: Request[]): Promise<Outcome[]> {
    const events: StoredEvent[] = [];
    const { locks } = group[0] as Request;
    const outcomes = await this.#orFailed(
      this.#database.connection(async (connection) => {
        const begun = this.#database.beginWrite(connection);
        if (!this.#database.pipelined) await begun;
        return await this.#ended(connection, async () => {
          // Nothing else goes out before the transaction is known to have begun: it would be a transaction of its own.
          await Promise.all([begun, this.#database.lock(connection, locks)]);
          if (group.length === 1) return [{ values: await runCommands(connection, (group[0] as Request).commands, events) }];
          const all: Outcome[] = [];
          for (const { commands } of group) all.push(await this.#member(connection, commands, events));
          return all;
        });
      }),
    );
    if (events.length > 0) void this.#track(this.#deliver(events));
    return outcomes;
  }

  async #orFailed<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw new GroupFailed(error, error instanceof BinnacleError ? undefined : this.#database.verdict(error));
    }
  }

  async #member(connection: Kysely<Database>, commands: readonly StoreCommand[], events: StoredEvent[]): Promise<Outcome> {
    const mark = events.length;
    await this.#database.run(connection, 'savepoint request');
    try {
      const values = await runCommands(connection, commands, events);
      await this.#database.run(connection, 'release savepoint request');
      return { values };
    } catch (error) {
      if (this.#database.verdict(error) !== undefined) throw error;
      events.length = mark;
      await this.#database.run(connection, 'rollback to savepoint request');
      return { error };
    }
  }

  /** Commits what `work` did, or rolls it back. A connection that breaks during the commit leaves open whether it was written. */
  async #ended<T>(connection: Kysely<Database>, work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      // A connection that cannot even roll back is broken, and the server rolls back by itself.
      await this.#database.run(connection, 'rollback').catch(() => {});
      throw error;
    }
    try {
      await this.#database.commit(connection);
    } catch (error) {
      await this.#database.run(connection, 'rollback').catch(() => {});
      if (this.#database.verdict(error) !== 'lost') throw error;
      throw unavailable(
        'database_commit_unknown',
        `The connection to ${this.#database.place} broke while the change was being committed, so it may be written or not. Look, then send it again.`,
        { cause: error, retryAfterSeconds: 1 },
      );
    }
    return result;
  }

  async #deliver(events: StoredEvent[]): Promise<void> {
    const handled = await Promise.all(events.map(async ({ id, event }) => ((await this.#onEvent?.(event)) === false ? [] : [id])));
    const done = handled.flat();
    // One that cannot be acknowledged (a closing server, a database that is away) comes again.
    if (done.length > 0) await this.call({ store: 'outbox', method: 'acknowledge', args: [done] }).catch(() => {});
  }
}

/** An engine over a database whose schema is up to date. */
export async function openPooled(database: PooledDatabase, presence: Presence, options: PooledEngineOptions): Promise<SqlEngine> {
  const engine = new PooledEngine(database, presence, options);
  await engine.open();
  return engine;
}
