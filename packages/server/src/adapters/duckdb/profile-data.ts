import { extname } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { invalid, messageOf } from '../../kernel/index.ts';
import type { TrainingData, TrainingDataReader } from '../../monitoring/training-data.port.ts';
import { openDuckDb, quoteIdentifier, quotePath } from './instance.ts';

/** Types whose values are numbers to a model. */
const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/;
const TIME = /^(DATE|TIMESTAMP.*)$/;
const TEXT = /^(VARCHAR|UUID|ENUM.*|TIME)$/;

/** How a column is read: numbers as doubles, times as milliseconds since the epoch, booleans and text as they are. Null: no scalar, left out. */
function readAs(name: string, type: string): string | null {
  const column = quoteIdentifier(name);
  if (NUMERIC.test(type)) return `${column}::DOUBLE`;
  if (TIME.test(type)) return `epoch_ms(${column}::TIMESTAMP)::DOUBLE`;
  if (type === 'BOOLEAN') return column;
  return TEXT.test(type) ? `${column}::VARCHAR` : null;
}

/** Reads training data of Parquet or CSV files in a sandboxed DuckDB that can reach this file only. */
export const duckDbTrainingData = (): TrainingDataReader => ({
  async read(file, { maxRows }) {
    const csv = extname(file).toLowerCase() === '.csv';
    const source = csv ? `read_csv(${quotePath(file)})` : `read_parquet(${quotePath(file)})`;
    const db = await openDuckDb({ threads: 1, memoryLimit: '512MB', sandbox: { files: [file] } });
    let connection: DuckDBConnection | undefined;
    try {
      connection = await db.connect();
      return await readColumns(connection, source, maxRows);
    } catch (cause) {
      throw invalid('training_data_invalid', `The training data cannot be read as ${csv ? 'CSV' : 'Parquet'}: ${messageOf(cause)}`, { cause });
    } finally {
      connection?.closeSync();
      db.close();
    }
  },
});

async function readColumns(connection: DuckDBConnection, source: string, maxRows: number): Promise<TrainingData> {
  const described = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)).getRowObjects();
  const columns = described.map((row) => ({
    name: String(row['column_name']),
    expression: readAs(String(row['column_name']), String(row['column_type'])),
    values: [] as (string | number | boolean | null)[],
  }));
  const used = columns.filter(({ expression }) => expression !== null);
  const rows = Number((await connection.runAndReadAll(`SELECT count(*) AS n FROM ${source}`)).getRowObjects()[0]?.['n']);
  if (rows === 0 || used.length === 0) throw new Error(rows === 0 ? 'it has no rows' : 'it has no columns of numbers, text or times');
  const sample = rows > maxRows ? ` USING SAMPLE reservoir(${maxRows} ROWS) REPEATABLE (42)` : '';
  const result = await connection.stream(`SELECT ${used.map(({ expression }) => expression).join(', ')} FROM ${source}${sample}`);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    used.forEach((column, i) => {
      for (const value of chunk.getColumnValues(i)) column.values.push(value as string | number | boolean | null);
    });
  }
  return {
    rows,
    columns: used.map(({ name, values }) => ({ name, values })),
    skipped: columns.filter(({ expression }) => expression === null).map(({ name }) => name),
  };
}
