import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Kysely } from 'kysely';
import { internal, type SerializedError, serializeError } from '../../../kernel/index.ts';
import type { StoreCommand } from '../engine.ts';
import { migrate } from '../migrations/migrate.ts';
import { runCommands, type StoredEvent } from '../run-commands.ts';
import type { Database } from '../schema/index.ts';
import { stores } from '../stores.ts';
import { nodeSqliteDialect } from './dialect.ts';
import { mapSqliteError } from './errors.ts';
import { commitGroup, type GroupResult } from './group.ts';

export interface WorkerOptions {
  file: string;
  role: 'writer' | 'reader';
  synchronous: 'FULL' | 'NORMAL';
}
export interface Request {
  id: number;
  commands: StoreCommand[];
}
/** The methods of each store that only read: told to the main thread, which so loads neither the stores nor Kysely. */
export type Reads = Record<string, ReadonlySet<string>>;
export type Reply =
  | { kind: 'ready'; reads: Reads }
  | { kind: 'failed'; error: SerializedError }
  | { kind: 'results'; results: { id: number; values?: unknown[]; error?: SerializedError }[]; events: StoredEvent[] };

/** Requests taken into one commit; bounds the time a reply may wait for its neighbours. */
const MAX_GROUP = 256;
const options = workerData as WorkerOptions;
const port = parentPort;
if (port === null) throw new Error('runs in a worker thread only');

let raw: DatabaseSync | undefined;
let db: Kysely<Database> | undefined;
const queue: Request[] = [];
let running = false;
let events: StoredEvent[] = [];

async function open(): Promise<void> {
  raw = new DatabaseSync(options.file, { readOnly: options.role === 'reader' });
  raw.exec('PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384');
  if (options.role === 'writer') raw.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.synchronous}; PRAGMA journal_size_limit = 67108864`);
  db = new Kysely<Database>({ dialect: nodeSqliteDialect(raw) });
  if (options.role === 'writer') await migrate(db, options.file);
}

const failure = (error: unknown): SerializedError => serializeError(mapSqliteError(error, options.file));

async function commitTogether(group: Request[]): Promise<GroupResult<unknown[]>[]> {
  if (raw === undefined) return group.map(({ id }) => ({ id, error: internal('database_closed', 'The database is closed.') }));
  return commitGroup(raw, group, {
    begin: options.role === 'writer' ? 'BEGIN IMMEDIATE' : 'BEGIN',
    run({ commands }: Request) {
      if (db === undefined) throw internal('database_closed', 'The database is closed.');
      return runCommands(db, commands, events);
    },
    mark: () => events.length,
    undo: (mark) => void (events.length = mark),
  });
}

/** Commits whatever queued up during the previous commit as one transaction, a savepoint a request: group commit without a timer. */
async function pump(): Promise<void> {
  if (running) return;
  running = true;
  while (queue.length > 0) {
    const group = queue.splice(0, MAX_GROUP);
    events = [];
    const results = (await commitTogether(group)).map((result) =>
      'error' in result ? { id: result.id, error: failure(result.error) } : { id: result.id, values: result.value },
    );
    port?.postMessage({ kind: 'results', results, events } satisfies Reply);
    await nextTurn();
  }
  running = false;
}

port.on('message', (message: Request | { close: true }) => {
  if ('close' in message) {
    raw?.close();
    port.close();
    return;
  }
  queue.push(message);
  void pump();
});

try {
  await open();
  port.postMessage({ kind: 'ready', reads: Object.fromEntries(Object.entries(stores).map(([name, Store]) => [name, Store.reads])) } satisfies Reply);
} catch (error) {
  port.postMessage({ kind: 'failed', error: failure(error) } satisfies Reply);
}
