import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type {
  BatchInput,
  BatchInputEngine,
  BatchInputRequest,
  FeatureColumn,
  FeatureRows,
  RejectedLines,
  RowRange,
  WriteRequest,
} from '../../batch/batch-input.port.ts';
import { BinnacleError, invalid, messageOf } from '../../kernel/index.ts';
import type { TableColumn, TableFormat } from '../../tables/index.ts';
import { featuresQuery, type NumberedFile, own, rowsOf } from './batch-rows.ts';
import { readFeatures } from './batch-read.ts';
import { mergeParts, writeRows } from './batch-write.ts';
import { featureSql } from './feature-sql.ts';
import { type DuckDb, openDuckDb, quoteIdentifier } from './instance.ts';
import { Lanes, using } from './lanes.ts';
import { describe, epochMs, nameOf, readError, scanOf } from './scan.ts';
import { guardSql, INPUT_TABLE } from './sql-guard.ts';
import { columnsOf, stage } from './staging.ts';

/** Batch inputs over DuckDB: Parquet is read in place, by row numbers; text is copied into Parquet first. */
export const createDuckDbBatchInput = (options: { memoryLimit?: string } = {}): BatchInputEngine => ({
  async inspect(request) {
    const db = await openDuckDb({ threads: 1, sandbox: { files: request.files.map(({ path }) => path) } });
    try {
      return await using(db, async (connection) => {
        await guardSql(connection, request.select, request.where);
        const columns = await columnsOf(connection, request);
        return { columns, features: await selectedColumns(connection, request, sampleOf(columns)) };
      });
    } finally {
      db.close();
    }
  },

  check(features, columns) {
    for (const feature of features) featureSql(feature, columns);
  },

  async open(request) {
    const settings = {
      ...(options.memoryLimit === undefined ? {} : { memoryLimit: options.memoryLimit }),
      sandbox: { files: request.files.map(({ path }) => path), directories: [...request.writable, request.workDir] },
    };
    const db = await openDuckDb({ ...settings, threads: request.threads });
    try {
      return await using(db, (connection) => openInput(db, new Lanes(settings), connection, request));
    } catch (error) {
      db.close();
      throw error;
    }
  },
});

/** An empty table with the input's columns, to bind a user's SQL to. */
const sampleOf = (columns: TableColumn[]): string =>
  `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoteIdentifier(name)}`).join(', ')}, 0::BIGINT AS __binnacle_row WHERE false`;

async function selectedColumns(connection: DuckDBConnection, request: Pick<BatchInputRequest, 'select' | 'where'>, rows: string): Promise<TableColumn[]> {
  try {
    return own(await describe(connection, `(${featuresQuery(rows, request, '*')})`));
  } catch (cause) {
    const message = messageOf(cause).split('\n\n')[0];
    throw invalid('sql_invalid', `The SQL does not fit the columns of the input (a table named '${INPUT_TABLE}'): ${message}`, { cause });
  }
}

async function openInput(db: DuckDb, lanes: Lanes, connection: DuckDBConnection, request: BatchInputRequest): Promise<BatchInput> {
  await guardSql(connection, request.select, request.where);
  const source = nameOf(request);
  const text = request.format !== 'parquet';
  const staged = text
    ? await stage(connection, request, join(request.workDir, 'input'))
    : { files: request.files, columns: await columnsOf(connection, request), rejected: { count: 0, lines: [] } as RejectedLines };
  if (staged.columns.some(({ name }) => name === 'file_row_number' || name.startsWith('__binnacle_')))
    throw invalid('column_reserved', `${source} has a column 'file_row_number' or '__binnacle_…', which are used here to number rows. Rename it.`);
  const files = await numbered(connection, staged.files).catch((cause: unknown) => Promise.reject(readError(cause, 'parquet', source)));
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const features = await selectedColumns(connection, request, sampleOf(staged.columns));
  const selected =
    request.where === undefined
      ? rows
      : await count(connection, featuresQuery(rowsOf(files, { from: 0, to: rows }).sql, { where: request.where }, 'count(*)')).catch(sqlFailed);
  const original = request.files;
  return {
    columns: staged.columns,
    features,
    rows,
    selected,
    rejected: staged.rejected,
    locate(row) {
      const at = Math.max(
        0,
        files.findLastIndex(({ start }) => start <= row),
      );
      return { file: original[at]?.path ?? '', row: row - (files[at]?.start ?? 0) };
    },
    read: (range: RowRange, wanted: FeatureColumn[], timestamp?: string): Promise<FeatureRows> =>
      lanes.use((own) => {
        const time = timestamp === undefined ? undefined : timeSql(timestamp, staged.columns);
        return readFeatures(own, { rows: rowsOf(files, range).sql, select: request.select, where: request.where }, features, wanted, time).catch(
          (cause: unknown) => (request.select === undefined ? fail(cause, source) : sqlFailed(cause)),
        );
      }),
    write: (write: WriteRequest) => lanes.use((own) => writeRows(own, rowsOf(files, write.range), write, request.workDir)),
    merge: (parts: string[], file: string, format: TableFormat) => using(db, (own) => mergeParts(own, parts, file, format)),
    async close() {
      lanes.close();
      db.close();
      if (text) await rm(join(request.workDir, 'input'), { recursive: true, force: true });
    },
  };
}

async function numbered(connection: DuckDBConnection, files: BatchInputRequest['files']): Promise<NumberedFile[]> {
  const out: NumberedFile[] = [];
  let start = 0;
  for (const file of files) {
    const rows = await count(connection, `SELECT count(*) FROM ${scanOf({ format: 'parquet', files: [file] })}`);
    out.push({ ...file, start, rows });
    start += rows;
  }
  return out;
}

async function count(connection: DuckDBConnection, sql: string): Promise<number> {
  const result = await connection.run(sql);
  return Number((await result.getRowsJson())[0]?.[0]);
}

function timeSql(column: string, columns: TableColumn[]): string {
  const found = columns.find(({ name }) => name === column);
  if (found === undefined) throw invalid('missing_column', `The input lacks the column '${column}' (timestampColumn).`, { details: { column } });
  return epochMs(column, found.type);
}

function sqlFailed(cause: unknown): never {
  if (cause instanceof BinnacleError) throw cause;
  throw invalid(
    'sql_failed',
    `The SQL fails on a row of the input: ${(cause as Error).message.split('\n')[0]} Use TRY_CAST and the like where values may be odd.`,
    { cause },
  );
}

function fail(cause: unknown, source: string): never {
  throw readError(cause, 'parquet', source);
}
