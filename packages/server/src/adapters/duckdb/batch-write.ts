import { randomBytes } from 'node:crypto';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { OutputColumn, WriteRequest } from '../../batch/batch-input.port.ts';
import type { TableFormat } from '../../tables/index.ts';
import { columnList, KEY, type RangeRows, ROW } from './batch-rows.ts';
import { duckDbError, quoteIdentifier, quoteLiteral, quotePath } from './instance.ts';
import { concatText } from './merge-text.ts';
import { writePlainParquet } from './plain-parquet.ts';
import { scanOf } from './scan.ts';

/** Trying larger dictionaries costs predictions, which have as many values as rows, a sixth of the writing time. */
export const FORMATS: Record<TableFormat, string> = {
  parquet: 'FORMAT parquet, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 4096',
  csv: 'FORMAT csv, HEADER true',
  jsonl: 'FORMAT json',
};

/**
 * Writes rows of the input with their predictions beside them. The input's columns never enter JavaScript: the predictions go into a
 * file beside, and the engine joins it to a second scan of the rows.
 */
export async function writeRows(
  connection: DuckDBConnection,
  rows: RangeRows,
  request: WriteRequest,
  workDir: string,
): Promise<{ rows: number; bytes: number }> {
  const { index, outputs, id, range } = request;
  const predictions = join(workDir, `predictions-${randomBytes(6).toString('hex')}.parquet`);
  const marked = new Uint8Array(index.length);
  for (const at of id?.at ?? []) marked[at] = 1;
  try {
    await mkdir(workDir, { recursive: true });
    await writePlainParquet(predictions, index.length, [
      { name: KEY, values: index },
      ...(id === undefined ? [] : [{ name: 'has_id', values: marked }]),
      ...outputs.map(({ values }, i) => ({ name: `p${i}`, values })),
    ]);
    const every = index.length === range.to - range.from;
    if (!(every && rows.oneScan && (await copy(connection, rows, request, predictions, 'position'))))
      await copy(connection, rows, request, predictions, 'number');
    return { rows: index.length, bytes: await synced(request.file) };
  } catch (cause) {
    await rm(request.file, { force: true });
    throw duckDbError(cause, `Cannot write ${request.file}`);
  } finally {
    await rm(predictions, { force: true });
  }
}

const MISPLACED = 'binnacle: rows out of step';

/**
 * Row by row when there is a prediction for each (a fifth cheaper, and checked: false when the rows came in another order), else by the
 * rows' numbers and sorted.
 */
async function copy(connection: DuckDBConnection, rows: RangeRows, request: WriteRequest, predictions: string, by: 'position' | 'number'): Promise<boolean> {
  const checked = `CASE WHEN i.${ROW} = p.${KEY} THEN i.${ROW} ELSE error(${quoteLiteral(MISPLACED)}) END`;
  const columns = [
    ...(request.passthrough.length > 0 ? [columnList(request.passthrough, 'i')] : []),
    ...(request.id === undefined
      ? []
      : [`CASE WHEN p.has_id = 1 THEN ${quoteLiteral(request.id.prefix)} || i.${ROW} END AS ${quoteIdentifier(request.id.name)}`]),
    ...request.outputs.map((output, i) => `${shown(output, `p.p${i}`, request.format)} AS ${quoteIdentifier(output.name)}`),
  ];
  const join =
    by === 'position'
      ? `POSITIONAL JOIN read_parquet(${quotePath(predictions)}) p WHERE ${checked} >= 0`
      : `JOIN read_parquet(${quotePath(predictions)}) p ON i.${ROW} = p.${KEY} ORDER BY p.${KEY}`;
  try {
    await connection.run(`COPY (SELECT ${columns.join(', ')} FROM (${rows.sql}) i ${join}) TO ${quoteLiteral(request.file)} (${FORMATS[request.format]})`);
    return true;
  } catch (cause) {
    if (!(cause instanceof Error && cause.message.includes(MISPLACED))) throw cause;
    return false;
  }
}

function shown({ type }: OutputColumn, column: string, format: TableFormat): string {
  if (type === 'BOOLEAN') return `CAST(${column} AS BOOLEAN)`;
  // JSON has no NaN.
  return format === 'jsonl' && (type === 'FLOAT' || type === 'DOUBLE') ? `CASE WHEN isfinite(${column}) THEN ${column} END` : column;
}

export async function mergeParts(connection: DuckDBConnection, parts: string[], file: string, format: TableFormat): Promise<{ bytes: number }> {
  try {
    const scan = scanOf({ format: 'parquet', files: parts.map((path) => ({ path, bytes: 0, modifiedAt: 0 })) });
    if (format === 'parquet') await connection.run(`COPY (SELECT * FROM ${scan}) TO ${quoteLiteral(file)} (${FORMATS.parquet})`);
    else await concatText(parts, file, format === 'csv');
    return { bytes: await synced(file) };
  } catch (cause) {
    await rm(file, { force: true });
    throw duckDbError(cause, `Cannot write ${file}`);
  }
}

/** Written is not yet on the disk. */
async function synced(file: string): Promise<number> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  return (await stat(file)).size;
}
