import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { invalid } from '../../kernel/index.ts';
import type { Column, PageOptions, StreamOptions, Table, TableColumn, TableEngine, TableLocation, TableSource } from '../../tables/index.ts';
import { type DuckDb, openDuckDb, quoteIdentifier } from './instance.ts';
import { describe, epochMs, isNumeric, isTime, nameOf, readError, scanOf } from './scan.ts';
import { writeTables } from './table-writer.ts';
import { checkJsonDepth, SAMPLE_LINES } from './json-depth.ts';
import { copyNumbers, StringReader, vectorOf } from './vectors.ts';

/** Tables in files, by DuckDB. */
export const createDuckDbTables = (options: { threads?: number; memoryLimit?: string } = {}): TableEngine => ({
  async open(location) {
    if (location.format === 'jsonl') for (const { path } of location.files) await checkJsonDepth(path, SAMPLE_LINES);
    const db = await openDuckDb({ ...options, sandbox: { files: location.files.map(({ path }) => path) } });
    try {
      const connection = await db.connect();
      try {
        const columns = await describe(connection, scanOf(location)).catch((cause: unknown) =>
          Promise.reject(readError(cause, location.format, nameOf(location))),
        );
        return new DuckDbTableSource(db, location, columns);
      } finally {
        connection.closeSync();
      }
    } catch (error) {
      db.close();
      throw error;
    }
  },

  async write(path, format, tables) {
    const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      const written = await writeTables(aside, format, tables);
      await rename(aside, path);
      return written;
    } finally {
      await rm(aside, { force: true });
    }
  },
});

class DuckDbTableSource implements TableSource {
  readonly format: TableLocation['format'];
  readonly files: TableLocation['files'];
  readonly columns: TableColumn[];
  readonly #db: DuckDb;

  constructor(db: DuckDb, location: TableLocation, columns: TableColumn[]) {
    this.#db = db;
    this.format = location.format;
    this.files = location.files;
    this.columns = columns;
  }

  async countRows(): Promise<number> {
    const connection = await this.#db.connect();
    try {
      const result = await connection.run(`SELECT count(*) FROM ${scanOf(this)}`);
      return Number((await result.getRowsJson())[0]?.[0]);
    } catch (cause) {
      throw readError(cause, this.format, nameOf(this));
    } finally {
      connection.closeSync();
    }
  }

  async *stream(options: StreamOptions = {}): AsyncGenerator<Table> {
    const columns = (options.columns ?? this.columns.map(({ name }) => name)).map((name) => this.#column(name));
    const connection = await this.#db.connect();
    try {
      yield* this.#tables(connection, columns, options);
    } catch (cause) {
      throw readError(cause, this.format, nameOf(this));
    } finally {
      connection.closeSync();
    }
  }

  async page({ columns, offset, limit, maxLength }: PageOptions): Promise<(string | null)[][]> {
    const picked = columns.map((name) => `left(CAST(${quoteIdentifier(this.#column(name).name)} AS VARCHAR), ${maxLength})`);
    // What a column of text looks like is a guess: 007 stays 007 here.
    const from = scanOf(this, this.format === 'csv' ? { extra: ', all_varchar = true' } : {});
    const connection = await this.#db.connect();
    try {
      const reader = await connection.runAndReadAll(`SELECT ${picked.join(', ') || '1'} FROM ${from} LIMIT ${limit} OFFSET ${offset}`);
      return reader.getRowsJson().map((row) => row.map((value) => (value === null ? null : String(value))));
    } catch (cause) {
      throw readError(cause, this.format, nameOf(this));
    } finally {
      connection.closeSync();
    }
  }

  #column(name: string): TableColumn {
    const found = this.columns.find((column) => column.name === name);
    if (found === undefined)
      throw invalid('missing_column', `${nameOf(this)} lacks the column '${name}'; it has ${this.columns.map((column) => column.name).join(', ')}.`, {
        details: { column: name },
      });
    return found;
  }

  async *#tables(connection: DuckDBConnection, columns: TableColumn[], { batchRows = 65_536, limit }: StreamOptions): AsyncGenerator<Table> {
    const numeric = columns.map(({ type }) => isNumeric(type) || isTime(type) || type === 'BOOLEAN');
    const picked = columns.map(({ name, type }, i) =>
      isTime(type) ? epochMs(name, type) : `CAST(${quoteIdentifier(name)} AS ${numeric[i] ? 'DOUBLE' : 'VARCHAR'})`,
    );
    const result = await connection.stream(`SELECT ${picked.join(', ') || '1'} FROM ${scanOf(this)}${limit === undefined ? '' : ` LIMIT ${limit}`}`);
    const readers = columns.map(() => new StringReader());
    const fresh = (): Column[] =>
      columns.map(({ name }, i) => ({ name, values: numeric[i] ? new Float64Array(batchRows) : Array.from({ length: batchRows }, (): string | null => null) }));
    const cut = (filled: Column[], rows: number): Table => ({ rows, columns: filled.map(({ name, values }) => ({ name, values: values.slice(0, rows) })) });
    let filled = fresh();
    let rows = 0;
    for (;;) {
      const chunk = await result.fetchChunk();
      const n = chunk?.rowCount ?? 0;
      if (chunk === null || n === 0) break;
      if (rows + n > batchRows && rows > 0) {
        yield cut(filled, rows);
        filled = fresh();
        rows = 0;
      }
      if (n > batchRows) throw invalid('batch_rows', 'batchRows must be at least 2048.');
      filled.forEach(({ values }, i) => {
        if (values instanceof Float64Array) copyNumbers(vectorOf(chunk, i), n, values, rows);
        else readers[i]?.copy(vectorOf(chunk, i), n, values as (string | null)[], rows);
      });
      rows += n;
    }
    if (rows > 0) yield cut(filled, rows);
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}
