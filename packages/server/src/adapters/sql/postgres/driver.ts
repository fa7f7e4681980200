import { type DatabaseConnection, type Dialect, Kysely, type QueryResult } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { driverOf } from '../pooled/lent-driver.ts';
import type { Database } from '../schema/index.ts';
import type { HotQuery } from '../tracking/hot.ts';
import { isStalePlan } from './errors.ts';

/** One client of `pg`, in its pipeline mode: statements go out as they come, and are answered in that order. Hot ones are kept prepared. */
class PostgresConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  readonly #names: Map<string, string>;
  /** Not to be used again. */
  broken = false;

  constructor(client: PoolClient, names: Map<string, string>) {
    this.#client = client;
    this.#names = names;
  }

  async executeQuery<R>(query: HotQuery): Promise<QueryResult<R>> {
    const { sql: text, hot } = query;
    const values = query.parameters as unknown[];
    try {
      const { command, rowCount, rows } = await this.#client.query(hot === undefined ? { text, values } : { name: this.#nameOf(hot), text, values });
      if (command === 'COMMIT' || command === 'ROLLBACK') return { rows: [{ command } as R] };
      return command === 'SELECT' || rowCount === null ? { rows: rows as R[] } : { rows: rows as R[], numAffectedRows: BigInt(rowCount) };
    } catch (error) {
      if (isStalePlan(error)) this.broken = true;
      throw error;
    }
  }

  // oxlint-disable-next-line require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('The stores read whole results.');
  }

  /** PostgreSQL cuts names of statements at 63 bytes. */
  #nameOf(hot: string): string {
    let name = this.#names.get(hot);
    if (name === undefined) {
      name = `binnacle_${this.#names.size}`;
      this.#names.set(hot, name);
    }
    return name;
  }
}

/** Lends the pool's clients, each as a handle of its own on which statements need not wait for each other. */
export function pipelines(pool: Pool, dialect: Dialect): <T>(work: (db: Kysely<Database>) => Promise<T>) => Promise<T> {
  const adapter = dialect.createAdapter();
  const names = new Map<string, string>();
  const handles = new WeakMap<PoolClient, { db: Kysely<Database>; connection: PostgresConnection }>();
  const handleOf = (client: PoolClient) => {
    let handle = handles.get(client);
    if (handle === undefined) {
      const connection = new PostgresConnection(client, names);
      handle = { db: new Kysely<Database>({ dialect: { ...dialect, createAdapter: () => adapter, createDriver: () => driverOf(connection) } }), connection };
      handles.set(client, handle);
    }
    return handle;
  };
  return async (work) => {
    const client = await pool.connect();
    const { db, connection } = handleOf(client);
    try {
      return await work(db);
    } finally {
      client.release(connection.broken);
    }
  };
}
