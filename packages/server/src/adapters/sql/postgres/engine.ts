import { createHash } from 'node:crypto';
import { CompiledQuery, type Dialect, Kysely, sql } from 'kysely';
import type { Pool } from 'pg';
import type { DatabaseServer } from '../database-url.ts';
import type { SqlConnection } from '../connection.ts';
import type { SqlEngine } from '../engine.ts';
import { migrate, type MigrateOptions } from '../migrations/migrate.ts';
import { openPooled, type PooledDatabase, type PooledEngineOptions } from '../pooled/engine.ts';
import { enter, type Presence, type PresenceSession } from '../pooled/presence.ts';
import type { Database } from '../schema/index.ts';
import type { HotQuery } from '../tracking/hot.ts';
import { postgresDialect } from './dialect.ts';
import { pipelines } from './driver.ts';
import { mapPostgresError, postgresVerdict } from './errors.ts';

/** Connections of one server; PostgreSQL allows 100 by default, and several servers may share a database. */
const CONNECTIONS = 16;
/** Types by their number (pg_type.dat) that `pg` would hand over as text: bigint, and numeric, which sums are. */
const NUMBERS = new Set([20, 1700]);
const BYTES = 17;

/** A name as a key for an advisory lock: 64 bits of its hash. */
const lockKey = (name: string): string => createHash('sha256').update(`binnacle ${name}`).digest().readBigInt64BE().toString();

/** The stores on PostgreSQL 13 or newer. */
export async function openPostgres(server: DatabaseServer, options: PooledEngineOptions): Promise<SqlEngine> {
  const connection = await connectPostgres(server);
  let presence: Presence | undefined;
  try {
    presence = await connection.enter('beside others');
    await connection.migrate();
    return await openPooled(database(connection.pool, connection.dialect, server, connection.translate), presence, options);
  } catch (error) {
    await presence?.close();
    await connection.close().catch(() => {});
    throw connection.translate(error);
  }
}

/** A pool of connections to PostgreSQL. */
export async function connectPostgres(server: DatabaseServer): Promise<SqlConnection & { pool: Pool; dialect: Dialect }> {
  const { default: pg } = await import('pg');
  const text = pg.types.getTypeParser;
  const types = {
    getTypeParser(oid: number, format?: 'text' | 'binary') {
      if (NUMBERS.has(oid)) return Number;
      const parse = text(oid, format as 'text') as (value: string) => unknown;
      if (oid !== BYTES) return parse;
      // Node's buffers are views into a common one; what the stores get is theirs.
      return (value: string) => new Uint8Array(parse(value) as Uint8Array);
    },
  };
  const where = {
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    database: server.database,
    ssl: server.tls === 'off' ? false : { rejectUnauthorized: server.tls === 'verified' },
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    pipeline: true,
    application_name: 'binnacle',
  };
  const pool = new pg.Pool({ ...where, max: CONNECTIONS, types: types as never });
  // A connection that breaks while it is idle: the pool has dropped it already.
  pool.on('error', () => {});
  // One that breaks while it is used fails the statement; the event beside it must have a listener all the same.
  pool.on('connect', (client) => client.on('error', () => {}));
  const translate = (error: unknown) => mapPostgresError(error, server);
  const openSession = async (): Promise<PresenceSession> => {
    const client = new pg.Client(where);
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    client.on('error', () => {});
    await client.connect();
    const locked = async (call: string, name: string) => (await client.query(`select ${call}($1::bigint) as got`, [lockKey(name)])).rows[0]?.got === true;
    return {
      enter: (alone) => locked(alone ? 'pg_try_advisory_lock' : 'pg_try_advisory_lock_shared', 'presence'),
      lease: (name) => locked('pg_try_advisory_lock', `lease ${name}`),
      ended,
      close: () => client.end(),
    };
  };
  try {
    const dialect = postgresDialect(pool as never, await unicodeCollation(pool));
    const db = new Kysely<Database>({ dialect });
    return {
      pool,
      dialect,
      db,
      place: server.place,
      translate,
      migrate: (options) => migrateAlone(db, server.place, options),
      enter: (how) => enter(openSession, how, server.place),
      close: () => pool.end(),
    };
  } catch (error) {
    await pool.end().catch(() => {});
    throw translate(error);
  }
}

/** ICU's root collation, else the database's own. */
async function unicodeCollation(pool: { query(text: string): Promise<{ rows: unknown[] }> }): Promise<string> {
  const { rows } = await pool.query(`select 1 from pg_collation where collname = 'und-x-icu' and collnamespace = 'pg_catalog'::regnamespace`);
  return rows.length > 0 ? 'und-x-icu' : 'default';
}

/** Servers that start together migrate one after the other. */
async function migrateAlone(db: Kysely<Database>, place: string, options?: MigrateOptions): Promise<void> {
  const key = lockKey('migrations');
  await db.connection().execute(async (connection) => {
    await sql`select pg_advisory_lock(${key}::bigint)`.execute(connection);
    try {
      await migrate(db, place, options);
    } finally {
      await sql`select pg_advisory_unlock(${key}::bigint)`.execute(connection);
    }
  });
}

function database(pool: Pool, dialect: Dialect, server: DatabaseServer, translate: PooledDatabase['translate']): PooledDatabase {
  const run = async (connection: Kysely<Database>, statement: string) => void (await sql.raw(statement).execute(connection));
  return {
    connection: pipelines(pool, dialect),
    close: () => pool.end(),
    pipelined: true,
    place: server.place,
    // Locks say who may go on; each statement after them must see what the holder before committed.
    beginWrite: (connection) => run(connection, 'begin isolation level read committed'),
    beginRead: (connection) => run(connection, 'begin isolation level repeatable read, read only'),
    async lock(connection, locks) {
      if (locks.length === 0) return;
      const calls = locks.map(({ shared }, i) => `${shared ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock'}($${i + 1}::bigint)`);
      const query = CompiledQuery.raw(
        `select ${calls.join(', ')}`,
        locks.map(({ name }) => lockKey(name)),
      );
      // Few transactions change more than one thing: their statement is kept prepared.
      const hot: HotQuery = { ...query, hot: `lock ${calls.join()}` };
      await connection.executeQuery(locks.length > 2 ? query : hot);
    },
    async commit(connection) {
      const { rows } = await sql<{ command?: string }>`commit`.execute(connection);
      if (rows[0]?.command === 'ROLLBACK') throw new Error('PostgreSQL rolled back a transaction that an error had ended before.');
    },
    run,
    verdict: postgresVerdict,
    translate,
  };
}
