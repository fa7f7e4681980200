import { open, stat } from 'node:fs/promises';
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api';
import { invalid } from '../../kernel/index.ts';
import type { Column, Table, TableFormat } from '../../tables/index.ts';
import { FORMATS } from './batch-write.ts';
import { duckDbApi, duckDbError, openDuckDb, quoteIdentifier, quoteLiteral } from './instance.ts';

const CHUNK_ROWS = 2048;

/** Collects the tables in the engine (compressed, columnar) and writes them to a file that must not exist. */
export async function writeTables(file: string, format: TableFormat, tables: AsyncIterable<Table> | Iterable<Table>): Promise<{ rows: number; bytes: number }> {
  const api = await duckDbApi();
  const db = await openDuckDb();
  const connection = await db.connect();
  try {
    let rows = 0;
    let types: DuckDBType[] | undefined;
    for await (const table of tables) {
      if (types === undefined) {
        types = table.columns.map((column) => typeOf(api, column));
        await connection.run(`CREATE TABLE t (${table.columns.map(({ name }, i) => `${quoteIdentifier(name)} ${String(types?.[i])}`).join(', ')})`);
      }
      await append(api, connection, table, types);
      rows += table.rows;
    }
    if (types === undefined) throw invalid('table_empty', 'A table without columns cannot be written.');
    await connection.run(`COPY t TO ${quoteLiteral(file)} (${FORMATS[format]})`);
    const handle = await open(file, 'r+');
    await handle.sync().finally(() => handle.close());
    return { rows, bytes: (await stat(file)).size };
  } catch (cause) {
    throw duckDbError(cause, `Cannot write ${file}`);
  } finally {
    connection.closeSync();
    db.close();
  }
}

function typeOf(api: typeof import('@duckdb/node-api'), { values }: Column): DuckDBType {
  if (values instanceof Float32Array) return api.FLOAT;
  if (values instanceof Float64Array) return api.DOUBLE;
  if (values instanceof Int8Array) return api.TINYINT;
  if (values instanceof Int16Array) return api.SMALLINT;
  if (values instanceof Int32Array) return api.INTEGER;
  if (values instanceof BigInt64Array) return api.BIGINT;
  if (values instanceof Uint8Array) return api.UTINYINT;
  if (values instanceof Uint16Array) return api.USMALLINT;
  if (values instanceof Uint32Array) return api.UINTEGER;
  if (values instanceof BigUint64Array) return api.UBIGINT;
  const first = values.find((value) => value !== null);
  if (typeof first === 'number') return api.DOUBLE;
  if (typeof first === 'bigint') return api.BIGINT;
  return typeof first === 'boolean' ? api.BOOLEAN : api.VARCHAR;
}

async function append(api: typeof import('@duckdb/node-api'), connection: DuckDBConnection, table: Table, types: DuckDBType[]): Promise<void> {
  const appender = await connection.createAppender('t');
  for (let from = 0; from < table.rows; from += CHUNK_ROWS) {
    const chunk = api.DuckDBDataChunk.create(types, Math.min(CHUNK_ROWS, table.rows - from));
    table.columns.forEach(({ values }, i) =>
      chunk.setColumnValues(i, Array.from(values.slice(from, from + CHUNK_ROWS) as ArrayLike<string | number | bigint | boolean | null>)),
    );
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
