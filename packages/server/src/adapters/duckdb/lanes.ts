import type { DuckDBConnection } from '@duckdb/node-api';
import { type DuckDb, type DuckDbOptions, openDuckDb } from './instance.ts';

/** Runs work on a connection and closes it. */
export async function using<T>(db: DuckDb, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const connection = await db.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
  }
}

/**
 * Databases of one thread each, as many as are used at a time. Several threads hand a query's rows on in any order;
 * chunks that run beside each other use the cores just as well and keep theirs.
 */
export class Lanes {
  readonly #options: DuckDbOptions;
  readonly #free: DuckDb[] = [];
  readonly #all: DuckDb[] = [];

  constructor(options: Omit<DuckDbOptions, 'path' | 'threads'>) {
    this.#options = { ...options, threads: 1 };
  }

  async use<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const db = this.#free.pop() ?? (await this.#open());
    try {
      return await using(db, work);
    } finally {
      this.#free.push(db);
    }
  }

  async #open(): Promise<DuckDb> {
    const db = await openDuckDb(this.#options);
    this.#all.push(db);
    return db;
  }

  close(): void {
    for (const db of this.#all) db.close();
  }
}
