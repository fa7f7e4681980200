import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { RejectedLine, RejectedLines } from '../../batch/batch-input.port.ts';
import { invalid } from '../../kernel/index.ts';
import type { TableColumn, TableFile, TableFormat, TableLocation } from '../../tables/index.ts';
import { quoteIdentifier, quoteLiteral, quotePath } from './instance.ts';
import { checkJsonDepth, SAMPLE_LINES } from './json-depth.ts';
import { describe, isNumeric, nameOf, readError, scanOf } from './scan.ts';

/** Lines listed of an input that is broken throughout; the others are only counted. */
const MAX_REJECTED = 10_000;

export interface Staged {
  /** A Parquet file for each text file. */
  files: TableFile[];
  columns: TableColumn[];
  rejected: RejectedLines;
}

/** Columns of text files by their first lines; those of Parquet files by the first file. Throws `invalid` naming a file that differs. */
export async function columnsOf(connection: DuckDBConnection, location: TableLocation): Promise<TableColumn[]> {
  if (location.format === 'parquet') {
    const files = location.files.slice(0, 1);
    return describe(connection, scanOf({ format: 'parquet', files })).catch((cause: unknown) => fail(cause, { ...location, files }));
  }
  const types = new Map<string, string>();
  let first: string[] | undefined;
  for (const file of location.files) {
    const one = { format: location.format, files: [file] };
    if (location.format === 'jsonl') await checkJsonDepth(file.path, SAMPLE_LINES);
    const columns = await describe(connection, scanOf(one, { extra: ', ignore_errors = true' })).catch((cause: unknown) => fail(cause, one));
    merge(types, columns);
    first ??= columns.map(({ name }) => name);
    if (location.format === 'csv' && (columns.length !== first.length || columns.some(({ name }) => !first?.includes(name))))
      throw invalid(
        'table_columns_differ',
        `${file.path} has the columns ${columns.map(({ name }) => name).join(', ')}, but ${location.files[0]?.path} has ${first.join(', ')}.`,
      );
  }
  return [...types].map(([name, type]) => ({ name, type }));
}

/**
 * Copies text into Parquet, in which rows can be reached by number and are parsed once. Types that the first lines showed and a later
 * line breaks are widened; only lines that are no rows at all are rejected.
 */
export async function stage(connection: DuckDBConnection, location: TableLocation, dir: string): Promise<Staged> {
  await mkdir(dir, { recursive: true });
  const types = new Map((await columnsOf(connection, location)).map(({ name, type }) => [name, type]));
  for (;;) {
    const before = JSON.stringify([...types]);
    const rejected: RejectedLines = { count: 0, lines: [] };
    const files: TableFile[] = [];
    for (const [i, file] of location.files.entries()) {
      const path = join(dir, `input-${String(i).padStart(5, '0')}.parquet`);
      const one = { format: location.format, files: [file] };
      try {
        const { count, lines } = location.format === 'csv' ? await stageCsv(connection, one, types, path) : await stageJson(connection, one, types, path);
        rejected.count += count;
        for (const line of lines.slice(0, MAX_REJECTED - rejected.lines.length)) rejected.lines.push(line);
      } catch (cause) {
        fail(cause, one);
      }
      files.push({ path, bytes: 0, modifiedAt: 0 });
      if (JSON.stringify([...types]) !== before) break;
    }
    if (JSON.stringify([...types]) === before) return { files, columns: [...types].map(([name, type]) => ({ name, type })), rejected };
  }
}

const typeList = (types: Map<string, string>): string => `{${[...types].map(([name, type]) => `${quoteLiteral(name)}: ${quoteLiteral(type)}`).join(', ')}}`;
const nameList = (types: Map<string, string>): string => [...types.keys()].map(quoteIdentifier).join(', ');
const fileName = ({ files }: TableLocation): string => files[0]?.path ?? '';
const to = (path: string): string => `TO ${quoteLiteral(path)} (FORMAT parquet)`;

async function stageCsv(connection: DuckDBConnection, one: TableLocation, types: Map<string, string>, path: string): Promise<RejectedLines> {
  const scan = (limit: number): string => scanOf(one, { extra: `, types = ${typeList(types)}, store_rejects = true, rejects_limit = ${limit}` });
  const forget = async (): Promise<void> => {
    for (const table of ['reject_errors', 'reject_scans']) await connection.run(`DROP TABLE IF EXISTS ${table}`);
  };
  await forget();
  await connection.run(`COPY (SELECT ${nameList(types)} FROM ${scan(MAX_REJECTED)}) ${to(path)}`);
  const errors = await (await connection.run('SELECT line, error_type, error_message, csv_line FROM reject_errors ORDER BY line, byte_position')).getRowsJson();
  let casts = errors.some(([, type]) => type === 'CAST');
  const lines = new Map<number, RejectedLine>();
  for (const [line, , message, text] of errors)
    if (!lines.has(Number(line)))
      lines.set(Number(line), { file: fileName(one), line: Number(line), message: String(message), text: String(text).slice(0, 1000) });
  let count = lines.size;
  if (errors.length >= MAX_REJECTED && !casts) {
    // The list is full, and only a second reading tells how many there are: the engine must hold every error to count it.
    await forget();
    await connection.run(`SELECT count(COLUMNS(*)) FROM ${scan(0)}`);
    const [all] = await (await connection.run("SELECT count(DISTINCT line), bool_or(error_type = 'CAST') FROM reject_errors")).getRowsJson();
    count = Number(all?.[0]);
    casts = all?.[1] === true;
  }
  await forget();
  if (casts) merge(types, await describe(connection, scanOf(one, { wholeSample: true, extra: ', ignore_errors = true' })));
  return { count, lines: [...lines.values()] };
}

async function stageJson(connection: DuckDBConnection, one: TableLocation, types: Map<string, string>, path: string): Promise<RejectedLines> {
  try {
    await connection.run(`COPY (SELECT ${nameList(types)} FROM ${scanOf(one, { extra: `, columns = ${typeList(types)}` })}) ${to(path)}`);
    return { count: 0, lines: [] };
  } catch {
    // A line that is no JSON, or a value of another type than the first lines had: the slower way tells which.
  }
  await checkJsonDepth(fileName(one));
  merge(types, await describe(connection, scanOf(one, { wholeSample: true, extra: ', ignore_errors = true' })));
  // json_transform reads a nested value only by its full structure; as JSON it passes through as it is.
  const structure = JSON.stringify(
    Object.fromEntries([...types].map(([name, type]) => [name, /[([]/.test(type) && !type.startsWith('DECIMAL') ? 'JSON' : type])),
  );
  await connection.run(
    `COPY (SELECT unnest(t) FROM (SELECT json_transform(json, ${quoteLiteral(structure)}) AS t FROM read_ndjson_objects(${quotePath(fileName(one))}, maximum_object_size = 67108864, ignore_errors = true) WHERE json IS NOT NULL)) ${to(path)}`,
  );
  const lines = `read_csv(${quotePath(fileName(one))}, columns = {'text': 'VARCHAR'}, header = false, delim = chr(1), quote = '', escape = '', auto_detect = false, max_line_size = 67108864)`;
  const broken = `FROM (SELECT row_number() OVER () AS line, text FROM ${lines}) WHERE trim(text) <> '' AND NOT json_valid(text)`;
  const bad = await (await connection.run(`SELECT line, left(text, 1000) ${broken} ORDER BY line LIMIT ${MAX_REJECTED}`)).getRowsJson();
  const count = bad.length < MAX_REJECTED ? bad.length : Number((await (await connection.run(`SELECT count(*) ${broken}`)).getRowsJson())[0]?.[0]);
  return { count, lines: bad.map(([line, text]) => ({ file: fileName(one), line: Number(line), message: 'is not JSON', text: String(text) })) };
}

/** Widens types until both fit: numbers to DOUBLE, anything else to text. */
function merge(types: Map<string, string>, columns: TableColumn[]): void {
  for (const { name, type } of columns) {
    const known = types.get(name);
    if (known === undefined || known === type) types.set(name, type);
    else types.set(name, isNumeric(known) && isNumeric(type) ? 'DOUBLE' : known === 'JSON' || type === 'JSON' ? 'JSON' : 'VARCHAR');
  }
}

function fail(cause: unknown, location: { format: TableFormat; files: TableFile[] }): never {
  throw readError(cause, location.format, nameOf(location));
}
