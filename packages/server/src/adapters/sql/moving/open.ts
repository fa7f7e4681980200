import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { invalid } from '../../../kernel/index.ts';
import type { MovableDatabase } from '../../../upkeep/index.ts';
import type { SqlConnection } from '../connection.ts';
import { parseDatabaseUrl } from '../database-url.ts';
import { connectSqlite } from '../sqlite/connect.ts';
import { SqlMovableDatabase } from './database.ts';

/** Where a database is: a SQLite file, or the URL of a server (with its password). */
export type DatabaseLocation = { file: string } | { url: string };

/** `sqlite:PATH` of a file, or of a data directory that is there; or the URL of a database server. */
export function parseDatabaseLocation(text: string): DatabaseLocation {
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/s.exec(text)?.[1];
  if (file !== undefined) return { file: isFolder(file) ? resolve(file, 'binnacle.db') : resolve(file) };
  if (!/^[a-z]+:\/\//i.test(text)) throw invalid('database_url', 'The database to move to is sqlite:PATH, postgres://… or mysql://….');
  parseDatabaseUrl(text);
  return { url: text };
}

const isFolder = (path: string): boolean => path.endsWith('/') || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

async function connect(location: DatabaseLocation, create: boolean): Promise<SqlConnection> {
  if ('file' in location) return connectSqlite(location.file, { create });
  const server = parseDatabaseUrl(location.url);
  if (server.kind === 'mysql') return (await import('../mysql/engine.ts')).connectMysql(server);
  return (await import('../postgres/engine.ts')).connectPostgres(server);
}

/** Opens a database to move it, or to move another into it. Nobody else may be working on it; one that is moved is brought to the newest schema. */
export async function openMovable(location: DatabaseLocation, role: 'source' | 'target'): Promise<MovableDatabase> {
  const connection = await connect(location, role === 'target');
  try {
    const presence = await connection.enter('alone');
    if (role === 'source') await connection.migrate();
    return new SqlMovableDatabase(connection, presence);
  } catch (error) {
    await connection.close().catch(() => {});
    throw connection.translate(error);
  }
}
