import { resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { BinnacleError, exhausted, internal, messageOf, unavailable } from '../../kernel/index.ts';

export interface DuckDbOptions {
  /** A database file; absent: a fresh database in memory. */
  path?: string;
  /** Native threads of the engine; all cores when absent. */
  threads?: number;
  /** Such as `1GB`; DuckDB's default is 80 % of the machine. */
  memoryLimit?: string;
  readOnly?: boolean;
  /** Where operators may spill. A database in memory spills nowhere when absent. */
  tempDirectory?: string;
  /** Further settings by DuckDB's names. */
  settings?: Record<string, string>;
  /**
   * The only folders and files that SQL may read or write. After opening, nothing else outside the database can be reached and no
   * setting can be changed any more, so that SQL written by a user can run. Only for databases in memory.
   */
  sandbox?: { directories?: string[]; files?: string[] };
}

/** A handle on a database. Connections are cheap; each runs one statement at a time, statements of several run in parallel. */
export interface DuckDb {
  connect(): Promise<DuckDBConnection>;
  /** Gives this handle back; a file closes with its last handle. The caller has closed its connections. */
  close(): void;
}

type Api = typeof import('@duckdb/node-api');
let api: Promise<Api> | undefined;
/** The driver, loaded at first use: about 60 MB of native code that an idle server does without. */
export const duckDbApi = (): Promise<Api> => {
  api ??= import('@duckdb/node-api');
  return api;
};

/** Two instances on one file lose data silently, so a process has one a file. */
const files = new Map<string, { instance: Promise<DuckDBInstance>; readOnly: boolean; handles: number }>();

export async function openDuckDb(options: DuckDbOptions = {}): Promise<DuckDb> {
  if (options.path === undefined) return handle(await open(':memory:', options), () => undefined);
  if (options.sandbox !== undefined) throw internal('duckdb_sandbox', 'Only a DuckDB database in memory can be sandboxed.');
  const path = resolve(options.path);
  const readOnly = options.readOnly ?? false;
  let entry = files.get(path);
  if (entry !== undefined && entry.readOnly && !readOnly) throw internal('duckdb_read_only', `${path} is open read-only in this process already.`);
  if (entry === undefined) {
    entry = { instance: open(path, options), readOnly, handles: 0 };
    files.set(path, entry);
  }
  const shared = entry;
  shared.handles++;
  const release = (): boolean => --shared.handles === 0 && files.delete(path);
  try {
    return handle(await shared.instance, release);
  } catch (error) {
    release();
    throw error;
  }
}

function handle(instance: DuckDBInstance, release: () => boolean | undefined): DuckDb {
  let closed = false;
  return {
    connect: () => {
      if (closed) throw internal('duckdb_closed', 'This DuckDB handle is closed.');
      return instance.connect();
    },
    close: () => {
      if (closed) return;
      closed = true;
      if (release() !== false) instance.closeSync();
    },
  };
}

async function open(path: string, options: DuckDbOptions): Promise<DuckDBInstance> {
  const { DuckDBInstance } = await duckDbApi();
  const settings: Record<string, string> = {
    // Extensions are fetched from the network, at run time, by surprise: what we use is built in.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_persistent_secrets: 'false',
    ...options.settings,
  };
  if (options.threads !== undefined) settings['threads'] = String(options.threads);
  if (options.memoryLimit !== undefined) settings['memory_limit'] = options.memoryLimit;
  if (options.readOnly) settings['access_mode'] = 'READ_ONLY';
  if (options.tempDirectory !== undefined) settings['temp_directory'] = options.tempDirectory;
  else if (path === ':memory:') settings['temp_directory'] = '';
  let instance: DuckDBInstance;
  try {
    instance = await DuckDBInstance.create(path, settings);
  } catch (cause) {
    throw duckDbError(cause, `Cannot open the DuckDB database ${path}`);
  }
  if (options.sandbox === undefined) return instance;
  const connection = await instance.connect();
  try {
    // A path with glob characters is asked for in its escaped form, and the check is made on that form.
    const list = (values: string[] = []): string => `[${[...new Set(values.flatMap((value) => [value, escapeGlob(value)]))].map(quoteLiteral).join(', ')}]`;
    // The order matters: the allow-lists cannot be set once external access is off.
    await connection.run(`SET allowed_directories = ${list(options.sandbox.directories)}`);
    await connection.run(`SET allowed_paths = ${list(options.sandbox.files)}`);
    await connection.run('SET enable_external_access = false');
    await connection.run('SET lock_configuration = true');
  } finally {
    connection.closeSync();
  }
  return instance;
}

/** `name` → `"name"`: a table or column name in SQL. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** `text` → `'text'`: a string in SQL. Throws `internal` on NUL, which DuckDB's parser cuts at. */
export function quoteLiteral(text: string): string {
  if (text.includes('\0')) throw internal('duckdb_nul', 'A NUL character cannot be written in SQL.');
  return `'${text.replaceAll("'", "''")}'`;
}

/** One file's path in SQL. DuckDB expands globs in paths, so their characters are escaped as one-character classes. */
export const quotePath = (path: string): string => quoteLiteral(escapeGlob(path));
const escapeGlob = (path: string): string => path.replace(/[*?[]/g, (c) => `[${c}]`);

/** The message of a driver error, in our classes: a full disk and a held lock are not the caller's fault. */
export function duckDbError(cause: unknown, doing: string): Error {
  if (cause instanceof BinnacleError) return cause;
  const message = messageOf(cause);
  if (/no space left|disk quota|not enough disk/i.test(message))
    return exhausted('disk_full', `${doing}: the disk is full. ${message}`, {
      cause,
    });
  if (/out of memory/i.test(message))
    return exhausted('out_of_memory', `${doing}: out of memory. ${message}`, {
      cause,
    });
  if (/could not set lock|conflicting lock/i.test(message)) return unavailable('duckdb_locked', `${doing}: another process holds it. ${message}`, { cause });
  return internal('duckdb_failed', `${doing}: ${message}`, { cause });
}

/** DuckDB's version, such as v1.5.6. */
export const duckDbVersion = async (): Promise<string> => (await duckDbApi()).version();
