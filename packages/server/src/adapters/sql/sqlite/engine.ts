import { Worker } from 'node:worker_threads';
import { deserializeError, internal, type OutboxEvent, siblingModule } from '../../../kernel/index.ts';
import type { SqlEngine, StoreCommand } from '../engine.ts';
import type { Reads, Reply, WorkerOptions } from './worker.ts';

export interface SqliteEngineOptions {
  file: string;
  synchronous?: 'FULL' | 'NORMAL';
  /** Called after the commit of the change that an event tells of. Acknowledged once it has come true; else it comes again after the next start. */
  onEvent?: (event: OutboxEvent) => Promise<boolean> | boolean | void;
}

/** A worker inherits the process's flags; given its own list it refuses V8's, so one is given only where the warning would be printed. */
const quiet = () => (process.execArgv.includes('--disable-warning=ExperimentalWarning') ? {} : { execArgv: ['--disable-warning=ExperimentalWarning'] });

/** How often a read and another call must have waited for each other before the reader is worth its memory; a start alone has a few. */
const MEETINGS = 10;

interface Pending {
  resolve(values: unknown[]): void;
  reject(error: Error): void;
}

/** A worker thread with one connection, and the calls that wait for it. */
class Connection {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly ready: Promise<Reads>;
  #sequence = 0;
  #dead: Error | undefined;

  constructor(options: WorkerOptions, onEvents: (events: { id: number; event: OutboxEvent }[]) => void) {
    this.#worker = new Worker(siblingModule('./worker', import.meta.url), { workerData: options, name: `sqlite-${options.role}`, ...quiet() });
    const { promise, resolve, reject } = Promise.withResolvers<Reads>();
    this.ready = promise;
    promise.catch(() => {});
    const fail = (error: Error) => {
      this.#dead = error;
      reject(error);
      for (const pending of this.#pending.values()) pending.reject(error);
      this.#pending.clear();
    };
    this.#worker.on('message', (reply: Reply) => {
      if (reply.kind === 'ready') return resolve(reply.reads);
      if (reply.kind === 'failed') {
        // Left alone it would wait for requests, and keep the process from ending.
        void this.#worker.terminate();
        return fail(deserializeError(reply.error));
      }
      // Replies first: an event handler may call back into the store.
      for (const result of reply.results) {
        const pending = this.#pending.get(result.id);
        this.#pending.delete(result.id);
        if (result.error === undefined) pending?.resolve(result.values ?? []);
        else pending?.reject(deserializeError(result.error));
      }
      if (reply.events.length > 0) onEvents(reply.events);
    });
    this.#worker.on('error', fail);
    this.#worker.on('exit', () => fail(internal('database_closed', 'The database is closed.')));
  }

  /** Whether calls wait for it. */
  get busy(): boolean {
    return this.#pending.size > 0;
  }

  async send(commands: StoreCommand[]): Promise<unknown[]> {
    await this.ready;
    if (this.#dead !== undefined) throw this.#dead;
    const id = ++this.#sequence;
    const { promise, resolve, reject } = Promise.withResolvers<unknown[]>();
    this.#pending.set(id, { resolve, reject });
    this.#worker.postMessage({ id, commands });
    return promise;
  }

  async close(): Promise<void> {
    if (this.#dead !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#worker.once('exit', () => resolve());
    this.#worker.postMessage({ close: true });
    await promise;
  }
}

/**
 * SQLite in worker threads: a writer with group commit and, once reads and writes keep meeting, a reader beside it
 * (WAL). An idle server needs no second thread, which is some 25 MB.
 */
export async function openSqlite(options: SqliteEngineOptions): Promise<SqlEngine> {
  const synchronous = options.synchronous ?? 'FULL';
  const deliver = async (events: { id: number; event: OutboxEvent }[]) => {
    const handled = await Promise.all(events.map(async ({ id, event }) => ((await options.onEvent?.(event)) === false ? [] : [id])));
    const done = handled.flat();
    // One that cannot be acknowledged (a full disk, a closing server) comes again.
    if (done.length > 0) await writer.send([{ store: 'outbox', method: 'acknowledge', args: [done] }]).catch(() => {});
  };
  const writer = new Connection({ file: options.file, role: 'writer', synchronous }, (events) => void deliver(events));
  const reads = await writer.ready;
  let reader: Connection | undefined;
  let readable = false;
  let readsAtWriter = 0;
  let meetings = 0;
  const isRead = ({ store, method }: StoreCommand) => reads[store]?.has(method) === true;
  const startReader = () => {
    const starting = new Connection({ file: options.file, role: 'reader', synchronous }, () => {});
    reader = starting;
    starting.ready.then(
      () => (readable = true),
      () => (reader = undefined),
    );
  };
  const send = async (commands: StoreCommand[]): Promise<unknown[]> => {
    const reading = commands.every(isRead);
    if (reader === undefined && (reading ? writer.busy : readsAtWriter > 0) && ++meetings >= MEETINGS) startReader();
    if (!reading) return await writer.send(commands);
    // Until the reader is up its calls go on being answered by the writer.
    if (readable && reader !== undefined) return await reader.send(commands);
    readsAtWriter++;
    return await writer.send(commands).finally(() => readsAtWriter--);
  };
  const [pending] = await writer.send([{ store: 'outbox', method: 'pending', args: [] }]);
  return {
    call: async (command) => (await send([command]))[0],
    transaction: send,
    // The data directory has one owner.
    lease: async () => true,
    redeliver: () => deliver((pending as Parameters<typeof deliver>[0]).splice(0)),
    async close() {
      await reader?.close();
      await writer.close();
    },
  };
}
