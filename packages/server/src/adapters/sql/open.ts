import { unsupported } from '../../kernel/index.ts';
import type { DatabaseSnapshots } from '../../upkeep/index.ts';
import { parseDatabaseUrl } from './database-url.ts';
import type { SqlEngine } from './engine.ts';
import { openSqlite, type SqliteEngineOptions } from './sqlite/engine.ts';
import { sqliteSnapshots } from './sqlite/snapshots.ts';

export interface DatabaseOptions extends SqliteEngineOptions {
  /** A database server; without one, SQLite in `file`. */
  url: string | undefined;
}

/** Opens the engine that the options ask for. Only what it needs is loaded. */
export async function openDatabase({ url, ...options }: DatabaseOptions): Promise<SqlEngine> {
  if (url === undefined) return openSqlite(options);
  const server = parseDatabaseUrl(url);
  if (server.kind === 'mysql') return (await import('./mysql/engine.ts')).openMysql(server, options);
  return (await import('./postgres/engine.ts')).openPostgres(server, options);
}

/** Copies of the same database; a server is copied by its own means. */
export function databaseSnapshots({ url, file }: Pick<DatabaseOptions, 'url' | 'file'>): DatabaseSnapshots {
  if (url === undefined) return sqliteSnapshots(file);
  const refuse = () => {
    const { place, kind } = parseDatabaseUrl(url);
    throw unsupported(
      'backup_of_server',
      `The metadata is in ${place}, which Binnacle does not back up: use ${kind === 'postgres' ? 'pg_dump' : 'mariadb-dump --single-transaction'}, and copy the artifacts after it.`,
    );
  };
  return { take: async () => refuse(), inspect: async () => refuse() };
}
