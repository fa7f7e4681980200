import { createHash } from 'node:crypto';
import { type Dialect, Kysely, sql } from 'kysely';
import { internal } from '../../../kernel/index.ts';
import type { DatabaseServer } from '../database-url.ts';
import type { SqlConnection } from '../connection.ts';
import type { SqlEngine } from '../engine.ts';
import { migrate, type MigrateOptions } from '../migrations/migrate.ts';
import { openPooled, type PooledDatabase, type PooledEngineOptions } from '../pooled/engine.ts';
import type { Lock } from '../pooled/locks.ts';
import { enter, type Presence } from '../pooled/presence.ts';
import type { Database } from '../schema/index.ts';
import { mysqlDialect } from './dialect.ts';
import { mapMysqlError, mysqlVerdict } from './errors.ts';
import { lockName, openSession } from './presence.ts';
import { transactions } from './transaction.ts';

/** Connections of one server; MySQL and MariaDB allow 151 by default. */
const CONNECTIONS = 16;
/** Collations that compare code points and count trailing spaces, MariaDB's and MySQL's. */
const COLLATIONS = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin'];

/**
 * Locks end with the transaction and are rows of a table that is never written: neither server has such a lock by name. Names share rows by
 * their hash; stores come before the things in them, as they do in the order of locking.
 */
const STORE_SLOTS = 64;
const SLOTS = 1024;
const slotOf = (name: string): number => {
  const hash = createHash('sha256').update(name).digest().readUInt32BE();
  return name.includes('/') ? STORE_SLOTS + (hash % (SLOTS - STORE_SLOTS)) : hash % STORE_SLOTS;
};

const SESSION = [
  // Id 0 is an experiment; a text that does not fit is an error and not cut.
  `set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO'`,
  // Locks say who may go on; each statement after them must see what the holder before committed.
  'set session transaction isolation level read committed',
];

type MysqlConnection = SqlConnection & { dialect: Dialect };

/** The stores on MySQL 8 or MariaDB 10.6 or newer. */
export async function openMysql(server: DatabaseServer, options: PooledEngineOptions): Promise<SqlEngine> {
  const connection = await connectMysql(server);
  let presence: Presence | undefined;
  try {
    presence = await connection.enter('beside others');
    await connection.migrate();
    return await openPooled(database(connection, server), presence, options);
  } catch (error) {
    await presence?.close();
    await connection.close().catch(() => {});
    throw connection.translate(error);
  }
}

/** A pool of connections to MySQL or MariaDB. */
export async function connectMysql(server: DatabaseServer): Promise<MysqlConnection> {
  const { default: mysql } = await import('mysql2');
  const where = {
    host: server.host,
    port: server.port,
    user: server.user,
    password: server.password,
    database: server.database,
    ...(server.tls === 'off' ? {} : { ssl: { rejectUnauthorized: server.tls === 'verified' } }),
    connectTimeout: 10_000,
    enableKeepAlive: true,
    charset: 'utf8mb4',
    multipleStatements: false,
  };
  const pool = mysql.createPool({ ...where, connectionLimit: CONNECTIONS, decimalNumbers: true, typeCast: exactDoubles });
  const translate = (error: unknown) => mapMysqlError(error, server);
  try {
    const collation = await exactCollation(pool, server);
    const prepare = async (run: (statement: string) => Promise<void>) => {
      for (const statement of [`set names utf8mb4 collate ${collation}`, ...SESSION]) await run(statement);
    };
    const dialect = mysqlDialect(pool as never, collation, prepare);
    const db = new Kysely<Database>({ dialect });
    return {
      db,
      dialect,
      place: server.place,
      translate,
      migrate: (options) => migrateAlone(db, server, options),
      enter: (how) => enter(() => openSession(mysql, where, server), how, server.place),
      close: () => pool.promise().end(),
    };
  } catch (error) {
    await pool
      .promise()
      .end()
      .catch(() => {});
    throw translate(error);
  }
}

/** The driver's own reading of a double's 16 or 17 digits is a bit off now and then. */
function exactDoubles(field: { type: string; string(): string | null }, next: () => unknown): unknown {
  if (field.type !== 'DOUBLE') return next();
  const digits = field.string();
  return digits === null ? null : Number(digits);
}

async function exactCollation(pool: import('mysql2').Pool, server: DatabaseServer): Promise<string> {
  const [rows] = await pool.promise().query('select collation_name as name from information_schema.collations where collation_name in (?)', [COLLATIONS]);
  const found = new Set((rows as { name: string }[]).map(({ name }) => name));
  const collation = COLLATIONS.find((name) => found.has(name));
  if (collation === undefined)
    throw internal(
      'database_too_old',
      `The server of ${server.place} has none of the collations ${COLLATIONS.join(', ')}: it must be MySQL 8 or MariaDB 10.6, or newer.`,
    );
  return collation;
}

/** Servers that start together migrate one after the other. */
async function migrateAlone(db: Kysely<Database>, server: DatabaseServer, options?: MigrateOptions): Promise<void> {
  const name = lockName(server);
  await db.connection().execute(async (connection) => {
    const { rows } = await sql<{ got: number | null }>`select get_lock(${name}, 600) as got`.execute(connection);
    if (rows[0]?.got !== 1) throw internal('migrations_locked', `Another server has been changing the tables of ${server.place} for ten minutes.`);
    try {
      await sql`create table if not exists binnacle_locks (slot integer primary key)`.execute(connection);
      const { rows: slots } = await sql<{ n: number }>`select count(*) as n from binnacle_locks`.execute(connection);
      if (Number(slots[0]?.n) < SLOTS)
        await sql`insert ignore into binnacle_locks (slot) values ${sql.join(Array.from({ length: SLOTS }, (_, slot) => sql`(${slot})`))}`.execute(connection);
      await migrate(db, server.place, options);
    } finally {
      await sql`select release_lock(${name})`.execute(connection).catch(() => {});
    }
  });
}

function database({ db, dialect, translate }: MysqlConnection, server: DatabaseServer): PooledDatabase {
  const run = async (connection: Kysely<Database>, statement: string) => void (await sql.raw(statement).execute(connection));
  return {
    connection: transactions(db, dialect),
    close: () => db.destroy(),
    pipelined: false,
    place: server.place,
    beginWrite: (connection) => run(connection, 'start transaction'),
    async beginRead(connection) {
      await run(connection, 'set transaction isolation level repeatable read');
      await run(connection, 'start transaction with consistent snapshot, read only');
    },
    lock: (connection, locks) => lock(connection, locks),
    commit: (connection) => run(connection, 'commit'),
    run,
    verdict: mysqlVerdict,
    translate,
  };
}

async function lock(connection: Kysely<Database>, locks: readonly Lock[]): Promise<void> {
  const slots = new Map<number, boolean>();
  for (const { name, shared } of locks) slots.set(slotOf(name), shared && (slots.get(slotOf(name)) ?? true));
  for (const [slot, shared] of [...slots].sort(([a], [b]) => a - b))
    await sql`select slot from binnacle_locks where slot = ${slot} ${sql.raw(shared ? 'lock in share mode' : 'for update')}`.execute(connection);
}
