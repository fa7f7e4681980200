import type { DuckDBConnection } from '@duckdb/node-api';
import { BinnacleError, invalid, messageOf } from '../../kernel/index.ts';
import type { TableColumn, TableFile, TableFormat, TableLocation } from '../../tables/index.ts';
import { duckDbError, quoteIdentifier, quotePath } from './instance.ts';

const list = (files: readonly TableFile[]): string => `[${files.map(({ path }) => quotePath(path)).join(', ')}]`;

/** Options of a text scan that the first lines cannot show: the sample is the whole file. */
export interface ScanOptions {
  wholeSample?: boolean;
  extra?: string;
}

/** The table function that reads a location. CSV has a header, always: columns are known by name. */
export function scanOf({ format, files }: TableLocation, { wholeSample, extra = '' }: ScanOptions = {}): string {
  const sample = wholeSample ? ', sample_size = -1' : '';
  if (format === 'parquet') return `read_parquet(${list(files)}${extra})`;
  if (format === 'csv') return `read_csv(${list(files)}, header = true${sample}${extra})`;
  return `read_json(${list(files)}, format = 'newline_delimited', maximum_object_size = 67108864${sample}${extra})`;
}

export async function describe(connection: DuckDBConnection, from: string): Promise<TableColumn[]> {
  const result = await connection.run(`DESCRIBE SELECT * FROM ${from}`);
  return (await result.getRowsJson()).map(([name, type]) => ({ name: String(name), type: String(type) }));
}

const FORMAT_NAMES: Record<TableFormat, string> = { csv: 'CSV', jsonl: 'JSON Lines', parquet: 'Parquet' };

/** What went wrong while reading a user's file. */
export function readError(cause: unknown, format: TableFormat, what: string): Error {
  if (cause instanceof BinnacleError) return cause;
  const known = duckDbError(cause, `Cannot read ${what}`) as BinnacleError;
  if (known.kind !== 'internal') return known;
  const message = messageOf(cause).split('\n').slice(0, 6).join(' ').trim();
  return invalid('table_unreadable', `${what} cannot be read as ${FORMAT_NAMES[format]}: ${message}`, { cause });
}

export const nameOf = ({ files }: TableLocation): string =>
  files.length === 1 ? (files[0]?.path ?? '') : `${files[0]?.path} and ${files.length - 1} more files`;

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL|REAL)/;
export const isNumeric = (type: string): boolean => NUMERIC.test(type);
export const isTime = (type: string): boolean => /^(TIMESTAMP|DATE)/.test(type);

/** Milliseconds since the epoch as DOUBLE; NULL where it is none. Numbers are milliseconds already; a time without a zone is UTC. */
export function epochMs(column: string, type: string): string {
  const name = quoteIdentifier(column);
  return isNumeric(type) ? `TRY_CAST(${name} AS DOUBLE)` : `epoch_us(TRY_CAST(${name} AS ${type.includes('ZONE') ? type : 'TIMESTAMP'}))::DOUBLE / 1000`;
}
