import { type CompiledQuery, type DatabaseConnection, type Dialect, Kysely, type QueryResult } from 'kysely';
import { driverOf } from '../pooled/lent-driver.ts';
import type { Database } from '../schema/index.ts';
import { mysqlVerdict } from './errors.ts';

/**
 * A connection for the time of one transaction. Stores ask for several statements at once, and MySQL would carry out those behind one that
 * failed: after a deadlock, when all before it is undone, each as a transaction of its own. So after a failure nothing goes out but a rollback,
 * and after the end nothing at all, for by then the connection is another's.
 */
class TransactionConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection;
  #last: Promise<unknown> = Promise.resolve();
  /** Why nothing may go out. */
  #refusal: { error: unknown } | undefined;
  #over = false;

  constructor(connection: DatabaseConnection) {
    this.#connection = connection;
  }

  /** One statement awaits the other, also one that failed. */
  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const result = this.#last.then(() => this.#execute<R>(query));
    this.#last = result.catch(() => {});
    return result;
  }

  // oxlint-disable-next-line require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('The stores read whole results.');
  }

  end(): void {
    this.#over = true;
  }

  async #execute<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#over) throw new Error('The transaction is over.');
    if (query.sql === 'rollback') {
      this.#over = true;
      return await this.#connection.executeQuery<R>(query);
    }
    const toSavepoint = query.sql.startsWith('rollback to savepoint ');
    // The error is the first one's: whoever of those asked at once is heard first tells the same.
    if (this.#refusal !== undefined && !(toSavepoint && mysqlVerdict(this.#refusal.error) !== 'contended')) throw this.#refusal.error;
    try {
      const result = await this.#connection.executeQuery<R>(query);
      if (toSavepoint) this.#refusal = undefined;
      if (query.sql === 'commit') this.#over = true;
      return result;
    } catch (error) {
      this.#refusal = { error };
      throw error;
    }
  }
}

/** Lends the pool's connections, each for one transaction. */
export function transactions(db: Kysely<Database>, dialect: Dialect): <T>(work: (db: Kysely<Database>) => Promise<T>) => Promise<T> {
  const executor = db.getExecutor();
  return (work) =>
    executor.provideConnection(async (lent) => {
      const connection = new TransactionConnection(lent);
      const handle = new Kysely<Database>({ dialect: { ...dialect, createAdapter: () => executor.adapter, createDriver: () => driverOf(connection) } });
      try {
        return await work(handle);
      } finally {
        connection.end();
      }
    });
}
