import { type BinnacleError, invalid, isObject, parseLooseJson, shown } from '../../kernel/index.ts';
import type { Column, Table } from '../../tables/index.ts';
import { firstTwice } from './csv.ts';

/** What a body asks to be predicted. */
export type ScoringInput =
  | { kind: 'table'; table: Table; text: boolean }
  /** `inputs` as an object: values by name, nested lists each. */
  | { kind: 'named'; values: Record<string, unknown> }
  /** `instances` or `inputs` as a list: one tensor without a name. */
  | { kind: 'array'; value: unknown };

const bad = (text: string): BinnacleError => invalid('invalid_input', `Invalid input. ${text}`);
const FORMATS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;
const REQUIRED = "The input must be a JSON dictionary with exactly one of the input fields {'dataframe_split', 'dataframe_records', 'instances', 'inputs'}";

type Json = Record<string, unknown>;

/** Python's json module writes and reads NaN and Infinity, so its users send them. */
function parseLoose(text: string): unknown {
  try {
    return parseLooseJson(text, SPECIALS);
  } catch (cause) {
    throw bad(`Ensure that input is a valid JSON formatted string. Error: '${(cause as Error).message}'`);
  }
}

export const SPECIALS = { nan: 'null', infinity: '1e999', minusInfinity: '-1e999' };

/** A JSON body: one of MLflow's four forms, and `params` for models that take some (undefined: none were sent). */
export function parseScoringJson(text: string): { input: ScoringInput; params: unknown } {
  const body = parseLoose(text);
  if (Array.isArray(body)) throw bad(`${REQUIRED}. Received a list.`);
  if (!isObject(body)) throw bad(`${REQUIRED}. Received unexpected input type '${body === null ? 'null' : typeof body}'.`);
  const given = FORMATS.filter((format) => format in body);
  const [format] = given;
  if (format === undefined || given.length !== 1) {
    const fields = given.length > 0 ? given : Object.keys(body);
    // MLflow says this one without "Invalid input."
    throw invalid('invalid_input', `${REQUIRED}. Received dictionary with input fields: [${fields.map((key) => `'${key}'`).join(', ')}]`);
  }
  return { input: inputOf(format, body[format]), params: body['params'] ?? undefined };
}

function inputOf(format: (typeof FORMATS)[number], data: unknown): ScoringInput {
  if (format === 'dataframe_split') return { kind: 'table', table: split(data), text: false };
  if (format === 'dataframe_records') return { kind: 'table', table: records(data), text: false };
  if (format === 'inputs') return isObject(data) ? { kind: 'named', values: data } : { kind: 'array', value: data };
  if (!Array.isArray(data)) throw bad("'instances' must be a list");
  // A list of objects is turned into columns.
  if (data.length > 0 && data.every(isObject)) return { kind: 'named', values: turn(data as Json[]) };
  return { kind: 'array', value: data };
}

function split(data: unknown): Table {
  if (!isObject(data)) throw bad(`Dataframe split format must be a dictionary. Got ${Array.isArray(data) ? 'list' : typeof data}.`);
  const keys = Object.keys(data);
  if (!('data' in data) || keys.some((key) => key !== 'columns' && key !== 'data' && key !== 'index'))
    throw bad(`Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields. Got {${keys.map((key) => `'${key}'`).join(', ')}}.`);
  const rows = data['data'];
  if (!Array.isArray(rows))
    throw bad("Provided dataframe_split field is not a valid dataframe representation in 'split' format: 'data' must be a list of rows.");
  const first: unknown = rows[0];
  const width = Array.isArray(first) ? first.length : 1;
  const names: unknown = data['columns'] ?? Array.from({ length: width }, (_, i) => i);
  if (!Array.isArray(names)) throw bad("'columns' of dataframe_split must be a list of names.");
  const odd = names.find((name: unknown) => typeof name === 'object' && name !== null);
  if (odd !== undefined) throw bad(`'columns' of dataframe_split must be a list of names, but it holds ${shown(odd)}.`);
  const twice = firstTwice(names.map(String));
  if (twice !== undefined) throw bad(`the column '${twice}' is named twice.`);
  // Before room is made: many names over many short rows would claim their product.
  rows.forEach((values: unknown, row) => {
    const cells = Array.isArray(values) ? values.length : 1;
    if (cells !== names.length)
      throw bad(
        `Provided dataframe_split field is not a valid dataframe representation in 'split' format. Error: '${names.length} columns passed, passed data had ${cells} columns' (row ${row})`,
      );
  });
  const columns = names.map((name: unknown) => ({ name: String(name), values: Array.from<Cell>({ length: rows.length }) }));
  for (let row = 0; row < rows.length; row++) {
    const values: unknown = rows[row];
    const cells: unknown[] = Array.isArray(values) ? values : [values];
    for (let i = 0; i < cells.length; i++) (columns[i] as Column).values[row] = cell(cells[i], row, columns[i]?.name ?? '') as never;
  }
  return { rows: rows.length, columns };
}

type Cell = string | number | boolean | bigint | null;
const CELLS = new Set(['number', 'string', 'boolean', 'bigint']);

function cell(value: unknown, row: number, column: string): Cell {
  if (value === null || CELLS.has(typeof value)) return value as Cell;
  if (value === undefined) return null;
  throw bad(
    `row ${row} of column '${column}' holds ${Array.isArray(value) ? 'a list' : 'an object'}; a table's value is a number, a string, true, false or null. Send tensors with 'inputs'.`,
  );
}

/** Cells of a table of records beyond which it may not be mostly holes: a body of a megabyte can make a table of gigabytes. */
const MAX_SPARSE_CELLS = 2 ** 22;

/** Its own value: a column may be called `constructor`. */
const valueOf = (record: Json, name: string): unknown => (Object.hasOwn(record, name) ? record[name] : undefined);

function records(data: unknown): Table {
  if (!Array.isArray(data)) throw bad(`Dataframe records format must be a list of records. Got ${isObject(data) ? 'dictionary' : `type ${typeof data}`}.`);
  const names = new Set<string>();
  let given = 0;
  data.forEach((record: unknown, row) => {
    if (!isObject(record))
      throw bad(`Provided dataframe_records field is not a valid dataframe representation in 'records' format: row ${row} is not an object.`);
    for (const name in record) {
      names.add(name);
      given++;
    }
  });
  if (data.length * names.size > Math.max(MAX_SPARSE_CELLS, 2 * given))
    throw bad(
      `the ${data.length} records have ${names.size} different fields between them, and most are missing in most records; give every record the same fields.`,
    );
  const columns = [...names].map((name) => ({ name, values: data.map((record: Json, row) => cell(valueOf(record, name), row, name)) }));
  return { rows: data.length, columns };
}

function turn(data: Json[]): Json {
  const names = Object.keys(data[0] ?? {});
  data.forEach((record, row) => {
    const keys = Object.keys(record);
    if (keys.length !== names.length || !names.every((name) => Object.hasOwn(record, name)))
      throw bad(`The instances must all have the same fields: instance ${row} has {${keys.join(', ')}}, the first has {${names.join(', ')}}.`);
  });
  return Object.fromEntries(names.map((name) => [name, data.map((record) => record[name])]));
}

/** Named values as a table, when they are one: lists of plain values, or plain values (a table of one row). */
export function asTable(values: Json): Table | undefined {
  const entries = Object.entries(values);
  const plain = (value: unknown): boolean => value === null || (typeof value !== 'object' && value !== undefined);
  if (entries.length === 0) return undefined;
  if (entries.every(([, value]) => plain(value))) return { rows: 1, columns: entries.map(([name, value]) => ({ name, values: [value as number] })) };
  const flat = entries.map(([name, value]) => ({
    name,
    values:
      Array.isArray(value) && value.length > 0 && value.every((v) => Array.isArray(v) && v.length === 1 && plain(v[0]))
        ? value.map((v: unknown[]) => v[0])
        : value,
  }));
  if (!flat.every(({ values: v }) => Array.isArray(v) && v.every(plain))) return undefined;
  const rows = ((flat[0]?.values ?? []) as unknown[]).length;
  const off = flat.find(({ values: v }) => (v as unknown[]).length !== rows);
  if (off !== undefined)
    throw bad(`All columns must be of the same length: '${flat[0]?.name}' has ${rows} values, '${off.name}' has ${(off.values as unknown[]).length}.`);
  return { rows, columns: flat as Column[] };
}

/** A list (of lists) of plain values as a table whose columns are numbered. */
export function asRows(value: unknown): Table | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.every((row) => Array.isArray(row) && row.every((v) => v === null || typeof v !== 'object')) ? split({ data: value }) : undefined;
}
