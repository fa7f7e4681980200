import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ColumnSpec, EndpointDetail } from '@binnacle/contract';
import { isObject } from '../kernel/index.ts';
import type { ModelPackage } from '../registry/index.ts';
import { kindOf } from './convert.ts';
import { tensorToJson } from './json-tensor.ts';
import type { Tensor } from './tensor.ts';
import type { Column, Table } from '../tables/index.ts';
import type { VersionInfo } from './types.ts';

/** An example file beyond this is not read: it would be no sample to show. */
const MAX_BYTES = 1 << 20;
const MAX_ROWS = 16;
/** Values of an invented request: a graph may declare a shape of any size. */
const MAX_INVENTED = 1000;

async function readJson(file: string): Promise<unknown> {
  try {
    if ((await stat(file)).size > MAX_BYTES) return undefined;
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

type Cell = string | number | boolean | null;
const isCell = (value: unknown): value is Cell => value === null || ['string', 'number', 'boolean'].includes(typeof value);

/** Rows of objects as a table; undefined when a value is not a plain one. */
function fromRecords(records: unknown[]): Table | undefined {
  const rows = records.filter(isObject).slice(0, MAX_ROWS);
  const names = Object.keys(rows[0] ?? {});
  if (names.length === 0 || !rows.every((row) => names.every((name) => isCell(row[name])))) return undefined;
  return { rows: rows.length, columns: names.map((name) => ({ name, values: rows.map((row) => row[name] as Cell) })) };
}

function fromSplit(split: unknown): Table | undefined {
  if (!isObject(split) || !Array.isArray(split['data'])) return undefined;
  const data = split['data'].slice(0, MAX_ROWS) as unknown[];
  if (!data.every((row): row is Cell[] => Array.isArray(row) && row.every(isCell))) return undefined;
  const columns = Array.isArray(split['columns']) ? split['columns'].map(String) : (data[0] ?? []).map((_, i) => String(i));
  return data.length === 0 ? undefined : { rows: data.length, columns: columns.map((name, i) => ({ name, values: data.map((row) => row[i] ?? null) })) };
}

/** Real rows that came with the model: its golden examples, else MLflow's input example. */
export async function sampleTable(pkg: ModelPackage): Promise<Table | undefined> {
  const golden = pkg.goldenFile === null ? undefined : await readJson(pkg.goldenFile);
  if (isObject(golden) && Array.isArray(golden['examples'])) {
    const table = fromRecords(golden['examples'].map((example) => (isObject(example) ? example['inputs'] : undefined)));
    if (table !== undefined) return table;
  }
  const body = await readJson(join(pkg.dir, 'serving_input_example.json'));
  if (!isObject(body)) return undefined;
  if (Array.isArray(body['dataframe_records'])) return fromRecords(body['dataframe_records']);
  return fromSplit(body['dataframe_split']);
}

const placeholder = (column: ColumnSpec): Cell => {
  const kind = kindOf(column.type);
  return kind === 'string' ? 'text' : kind === 'boolean' ? true : kind === 'integer' ? 1 : 0.5;
};

const firstRow = (table: Table): Table => ({ rows: 1, columns: table.columns.map(({ name, values }) => ({ name, values: [values[0] as Cell] })) });

/** A request that works, for both protocols: from the sample when there is one, else one of made-up values. */
export function sampleRequests(version: VersionInfo, sample: Table | undefined): EndpointDetail['sample'] {
  try {
    const table = sample === undefined ? inventTable(version) : firstRow(sample);
    const tensors = version.toTensors(table);
    const columns = version.columns?.map(({ name }) => name) ?? table.columns.map(({ name }) => name);
    const row = columns.map((name) => table.columns.find((column) => column.name === name)?.values[0] ?? null);
    return { invocations: { dataframe_split: { columns, data: [row] } }, openInference: { inputs: tensors.map(tensorToJson) } };
  } catch {
    return inventTensors(version);
  }
}

/** The sample's first row, or a made-up one, as the graph's inputs; undefined for a model that takes no table. */
export function sampleTensors(version: VersionInfo, sample: Table | undefined): Tensor[] | undefined {
  try {
    return version.toTensors(sample === undefined ? inventTable(version) : firstRow(sample));
  } catch {
    return undefined;
  }
}

function inventTable(version: VersionInfo): Table {
  const width = version.inputs[0]?.shape[1] ?? 1;
  if (width > MAX_INVENTED) throw new RangeError('too wide to be read');
  const specs = version.columns ?? Array.from({ length: Math.max(1, width) }, (_, i) => ({ name: String(i), type: version.inputs[0]?.datatype ?? 'FP32' }));
  const columns: Column[] = specs.map((spec) => ({ name: spec.name, values: [placeholder(spec)] }));
  return { rows: 1, columns };
}

/** For models that take no table: zeros of the graph's shapes, as long as they are small enough to read. */
function inventTensors(version: VersionInfo): EndpointDetail['sample'] {
  const tensors = version.inputs.map(({ name, datatype, shape }) => {
    const dims = shape.map((dimension) => (dimension === -1 ? 1 : dimension));
    return { name, datatype, shape: dims, count: dims.reduce((n, dimension) => n * dimension, 1) };
  });
  if (tensors.length === 0 || tensors.some(({ count }) => count > MAX_INVENTED)) return null;
  const value = (datatype: string): Cell => (datatype === 'BYTES' ? 'text' : datatype === 'BOOL' ? false : 0);
  const nest = (flat: unknown[], dims: readonly number[]): unknown => {
    const [head, ...rest] = dims;
    if (head === undefined) return flat[0];
    const width = flat.length / Math.max(1, head);
    return Array.from({ length: head }, (_, i) => (rest.length === 0 ? flat[i] : nest(flat.slice(i * width, (i + 1) * width), rest)));
  };
  return {
    invocations: {
      inputs: Object.fromEntries(tensors.map(({ name, datatype, shape, count }) => [name, nest(Array.from({ length: count }).fill(value(datatype)), shape)])),
    },
    openInference: {
      inputs: tensors.map(({ name, datatype, shape, count }) => ({ name, datatype, shape, data: Array.from({ length: count }).fill(value(datatype)) })),
    },
  };
}
