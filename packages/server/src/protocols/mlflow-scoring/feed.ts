import { invalid, isObject, shown } from '../../kernel/index.ts';
import type { ParameterValue, RunCall, Tensor, VersionInfo } from '../../serving/index.ts';
import type { Table } from '../../tables/index.ts';
import { asRows, asTable, type ScoringInput } from './input.ts';
import { arrayTensor, namedTensors } from './tensors.ts';

/** MLflow's column types are lower case, tensor datatypes upper case. */
export const hasColumns = (version: VersionInfo): boolean => version.pkg.signature?.inputs.some(({ type }) => /^[a-z]/.test(type)) ?? false;

/** The model's inputs; records answer a DataFrame, which a signature of columns makes of the other forms too. */
export function feed(version: VersionInfo, input: ScoringInput): { tensors: Tensor[]; asRecords: boolean } {
  if (input.kind === 'table') {
    if (input.table.rows === 0) throw invalid('empty_table', 'Invalid input. The table has no rows.');
    const tensorSignature = version.pkg.signature !== null && version.pkg.signature.inputs.length > 0 && !hasColumns(version);
    return { tensors: version.toTensors(input.table, { text: input.text }), asRecords: !tensorSignature };
  }
  if (hasColumns(version)) {
    const table = input.kind === 'named' ? asTable(input.values) : asRows(input.value);
    if (table !== undefined) return { tensors: version.toTensors(input.kind === 'named' ? table : byPosition(version, table)), asRecords: true };
  }
  return { tensors: input.kind === 'named' ? namedTensors(version, input.values) : arrayTensor(version, input.value), asRecords: false };
}

/** Rows without names take the signature's, in order. */
function byPosition(version: VersionInfo, table: Table): Table {
  const names = version.columns;
  if (names === null || names.length !== table.columns.length) return table;
  return { rows: table.rows, columns: table.columns.map((column, i) => ({ name: names[i]?.name ?? column.name, values: column.values })) };
}

/** Far deeper than any model's; what is walked has to have an end. */
const MAX_DEPTH = 32;

/** A model's parameters go on as JSON, in which an integer of any size is a number. */
function parameter(value: unknown, depth: number): ParameterValue {
  if (depth > MAX_DEPTH) throw invalid('invalid_params', `Parameters may be nested ${MAX_DEPTH} levels deep at most.`);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map((item: unknown) => parameter(item, depth + 1));
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, parameter(item, depth + 1)]));
  return value as ParameterValue;
}

/** `params` for whoever takes them; MLflow, too, ignores what a model has no use for. Throws `invalid` for what is nested too deep. */
export const parametersOf = (params: unknown): RunCall['parameters'] =>
  isObject(params) ? (parameter(params, 0) as Readonly<Record<string, ParameterValue>>) : undefined;

/** Throws `invalid` when what is no object would have to be handed to a model that may take params. An ONNX graph takes none. */
export function checkParams(version: VersionInfo, params: unknown): void {
  if (params !== undefined && !isObject(params) && version.pkg.runtime?.kind !== 'onnx')
    throw invalid('invalid_params', `Parameters must be a dictionary. Got ${shown(params)}.`);
}
