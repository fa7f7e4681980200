import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { BinnacleError, invalid, messageOf } from '../../kernel/index.ts';
import type { Column, Table } from '../../tables/index.ts';
import { openDuckDb, quoteIdentifier, quotePath } from './instance.ts';

type Cell = string | number | boolean | bigint | null;

/** A file of a few kilobytes may claim any number of rows: its table is bounded, not its size. */
const MAX_CELLS = 2 ** 24;
const MAX_TEXT = 2 ** 28;
/** What pandas calls an index that has no name; not one of the columns. */
const INDEX = /^__index_level_\d+__$/;

/** How a column is read: integers exactly, times as milliseconds since the epoch. Null: a model's table holds no such values. */
function readAs(name: string, type: string): string | null {
  const column = quoteIdentifier(name);
  if (/^(U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|BOOLEAN)$/.test(type)) return column;
  if (/^(U?HUGEINT|DECIMAL.*)$/.test(type)) return `${column}::DOUBLE`;
  if (/^(DATE|TIMESTAMP.*)$/.test(type)) return `epoch_ms(${column}::TIMESTAMP)::DOUBLE`;
  return /^(VARCHAR|UUID|ENUM.*|TIME)$/.test(type) ? `${column}::VARCHAR` : null;
}

const bad = (text: string, cause?: unknown): BinnacleError =>
  invalid(
    'parquet_invalid',
    `Failed to parse input as a Pandas DataFrame. Ensure that the input is a valid Parquet Pandas DataFrame produced using the \`pandas.DataFrame.to_parquet()\` method. Error: '${text}'`,
    { cause },
  );

let tail: Promise<unknown> = Promise.resolve();

/** The rows of a Parquet file in memory, by a sandboxed DuckDB; one at a time, each with its memory. Throws `invalid` (parquet_invalid) with MLflow's text. */
export function readParquetTable(bytes: Uint8Array): Promise<Table> {
  const table = tail.then(() => read(bytes));
  tail = table.catch(() => {});
  return table;
}

async function read(bytes: Uint8Array): Promise<Table> {
  const dir = await mkdtemp(join(tmpdir(), 'binnacle-parquet-'));
  try {
    const file = join(dir, 'body.parquet');
    await writeFile(file, bytes);
    const db = await openDuckDb({ threads: 1, memoryLimit: '512MB', sandbox: { files: [file] } });
    try {
      const connection = await db.connect();
      try {
        return await readColumns(connection, `read_parquet(${quotePath(file)})`);
      } finally {
        connection.closeSync();
      }
    } finally {
      db.close();
    }
  } catch (cause) {
    throw cause instanceof BinnacleError ? cause : bad(messageOf(cause).split('\n')[0]?.replaceAll(dir, '') ?? '', cause);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function readColumns(connection: DuckDBConnection, source: string): Promise<Table> {
  const described = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)).getRowObjects();
  const columns = described
    .map((row) => ({ name: String(row['column_name']), type: String(row['column_type']), values: [] as Cell[] }))
    .filter(({ name }) => !INDEX.test(name))
    .map((column) => ({ ...column, expression: readAs(column.name, column.type) }));
  const odd = columns.find(({ expression }) => expression === null);
  if (odd !== undefined) throw bad(`the column '${odd.name}' is of type ${odd.type}; a table's values are numbers, text, booleans or times`);
  if (columns.length === 0) throw bad('it has no columns');
  const texts = columns.filter(({ expression }) => expression?.endsWith('::VARCHAR'));
  const measured = await connection.runAndReadAll(
    `SELECT count(*)::DOUBLE, (${['0', ...texts.map(({ expression }) => `coalesce(sum(strlen(${expression})), 0)`)].join(' + ')})::DOUBLE FROM ${source}`,
  );
  const [rows = 0, text = 0] = (measured.getRows()[0] ?? []).map(Number);
  if (rows * columns.length > MAX_CELLS || text > MAX_TEXT)
    throw bad(
      `its ${rows} rows of ${columns.length} columns are more than a request may have (${MAX_CELLS} values, ${MAX_TEXT} bytes of text); send smaller batches`,
    );
  const result = await connection.stream(`SELECT ${columns.map(({ expression }) => expression).join(', ')} FROM ${source}`);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    columns.forEach((column, i) => {
      for (const value of chunk.getColumnValues(i)) column.values.push(value as Cell);
    });
  }
  return { rows, columns: columns.map(({ name, values }) => ({ name, values: values as Column['values'] })) };
}
