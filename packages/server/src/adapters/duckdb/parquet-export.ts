import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBAppender } from '@duckdb/node-api';
import type { ExportColumn, ExportValue, TablesOut } from '../../transfer/index.ts';
import { duckDbError, openDuckDb, quoteIdentifier, quoteLiteral } from './instance.ts';

const WORK = '.export.duckdb';
const TYPES: Record<ExportColumn['type'], string> = { text: 'VARCHAR', integer: 'BIGINT', number: 'DOUBLE' };

/** Tables as zstd Parquet files in a folder, gathered in a database file beside them, so that memory does not grow with them. */
export async function openParquetExport(folder: string): Promise<TablesOut> {
  const path = join(folder, WORK);
  const db = await openDuckDb({ path, threads: 2, memoryLimit: '512MB', tempDirectory: join(folder, '.tmp') });
  const connection = await db.connect();
  const tables = new Map<string, { columns: ExportColumn[]; appender: DuckDBAppender }>();
  const close = async () => {
    connection.closeSync();
    db.close();
    for (const name of [WORK, `${WORK}.wal`, '.tmp']) await rm(join(folder, name), { recursive: true, force: true });
  };
  const put = (appender: DuckDBAppender, type: ExportColumn['type'], value: ExportValue) => {
    if (value === null) appender.appendNull();
    else if (type === 'text') appender.appendVarchar(String(value));
    else if (type === 'integer') appender.appendBigInt(BigInt(value));
    else appender.appendDouble(Number(value));
  };
  return {
    async create(name, columns) {
      await connection.run(
        `CREATE TABLE ${quoteIdentifier(name)} (${columns.map((column) => `${quoteIdentifier(column.name)} ${TYPES[column.type]}`).join(', ')})`,
      );
      tables.set(name, { columns, appender: await connection.createAppender(name) });
    },
    append(name, rows) {
      const table = tables.get(name);
      if (table === undefined) throw new Error(`no table ${name}`);
      for (const row of rows) {
        for (const [i, { type }] of table.columns.entries()) put(table.appender, type, row[i] ?? null);
        table.appender.endRow();
      }
      table.appender.flushSync();
    },
    async finish() {
      try {
        for (const [name, { appender }] of tables) {
          appender.closeSync();
          const file = join(folder, `${name}.parquet`);
          await connection.run(`COPY ${quoteIdentifier(name)} TO ${quoteLiteral(file)} (FORMAT parquet, COMPRESSION zstd)`);
          const handle = await open(file, 'r+');
          await handle.sync().finally(() => handle.close());
        }
      } catch (error) {
        throw duckDbError(error, 'Writing the export failed');
      } finally {
        await close();
      }
    },
    close,
  };
}
