import type { ColumnSpec, Signature, TensorSpec } from '@binnacle/contract';
import { type BinnacleError, invalid } from '../kernel/index.ts';
import type { Column, Table } from '../tables/index.ts';
import { type ColumnRule, fill, kindOf } from './convert.ts';
import { halfToFloat } from './float16.ts';
import { allocate, type Datatype, isDataOf, type Tensor, type TensorData } from './tensor.ts';

/** Values a row beyond which a tensor is not a table any more (an image, a text's tokens) and is not logged by column. */
export const MAX_COLUMNS = 512;

/** How a model's table of named columns becomes the graph's inputs, and back. */
export interface TablePlan {
  /** By the signature; null when any columns go, in the order given. */
  readonly columns: ColumnSpec[] | null;
  toTensors(table: Table, options?: { text?: boolean }): Tensor[];
  /** The graph's inputs as columns, for the prediction log; tensors that are no table are left out. */
  toColumns(inputs: readonly Tensor[]): Column[];
}

const isColumn = ({ shape }: TensorSpec): boolean => shape.length <= 1 || (shape.length === 2 && shape[1] === 1);
const isMatrix = ({ shape }: TensorSpec): boolean => shape.length === 2 && shape[1] !== 1;
/** Exporters replace what is no identifier in a column's name. */
const plain = (name: string): string => name.replace(/\W/g, '_');

/**
 * Fits a signature's columns to the graph: one input [N] or [N,1] a column by name, or one matrix [N,F] fed in the signature's order.
 * Never throws: a model that fits neither still takes tensors, and says why it takes no table when it is given one.
 */
export function planColumns(signature: Signature | null, inputs: readonly TensorSpec[]): TablePlan {
  const declared = signature === null || signature.inputs.length === 0 ? null : signature.inputs;
  const scalar =
    declared?.every(({ name, shape }) => name !== '' && (shape === undefined || shape.length <= 1 || (shape.length === 2 && shape[1] === 1))) ?? false;
  if (declared !== null && scalar) {
    const byName = declared.map(
      (column) => inputs.find((input) => input.name === column.name) ?? inputs.find((input) => plain(input.name) === plain(column.name)),
    );
    if (inputs.length === declared.length && byName.every((input, i) => input !== undefined && isColumn(input) && byName.indexOf(input) === i)) {
      return columnPlan(declared, byName as TensorSpec[]);
    }
  }
  const [only] = inputs;
  if (only !== undefined && inputs.length === 1 && isMatrix(only)) {
    const width = only.shape[1] ?? -1;
    if (declared !== null && scalar && (width === -1 || width === declared.length)) return matrixPlan(declared, only);
    if (declared === null || (declared.length === 1 && !scalar)) return anyColumnsPlan(only);
  }
  if (declared === null && inputs.length > 0 && inputs.every(isColumn)) {
    return columnPlan(
      inputs.map(({ name, datatype }) => ({ name, type: datatype })),
      [...inputs],
    );
  }
  return tensorsOnly(declared, inputs);
}

/** Columns of the table by the plan's names. Further columns are ignored, as MLflow does. */
function pick(columns: readonly ColumnSpec[], table: Table): Column[] {
  return columns.map((spec) => {
    const found = table.columns.find((column) => column.name === spec.name);
    if (found !== undefined) return found;
    if (spec.required === false && kindOf(spec.type) === 'float') return { name: spec.name, values: new Float64Array(table.rows).fill(Number.NaN) };
    throw missing(columns, table, spec.name);
  });
}

function missing(columns: readonly ColumnSpec[], table: Table, first: string): BinnacleError {
  const given = table.columns.map((column) => column.name);
  const absent = columns.filter((spec) => !given.includes(spec.name)).map((spec) => spec.name);
  const extra = given.filter((name) => !columns.some((spec) => spec.name === name));
  const note = extra.length === 0 ? '' : ` Note that there were extra columns: ${extra.map((name) => `'${name}'`).join(', ')}.`;
  return invalid(
    'missing_column',
    `the table lacks the column${absent.length > 1 ? 's' : ''} ${absent.map((name) => `'${name}'`).join(', ')} that the model needs.${note}`,
    { details: { column: first, missing: absent } },
  );
}

const sameArray = (values: Column['values'], datatype: Datatype): values is Exclude<TensorData, string[]> =>
  datatype !== 'BYTES' && datatype !== 'BOOL' && datatype !== 'FP16' && isDataOf(datatype, values);

function columnPlan(columns: ColumnSpec[], inputs: TensorSpec[]): TablePlan {
  return {
    columns,
    toTensors(table, options) {
      const given = pick(columns, table);
      return inputs.map((input, i) => {
        const spec = columns[i] as ColumnSpec;
        const { values } = given[i] as Column;
        const datatype = input.datatype as Datatype;
        const shape = input.shape.length === 2 ? [table.rows, 1] : [table.rows];
        // Batch hands over typed arrays of the right class: no copy.
        if (sameArray(values, datatype) && values.length === table.rows && kindOf(spec.type) !== 'string')
          return { name: input.name, datatype, shape, data: values };
        const data = allocate(datatype, table.rows);
        fill(rule(spec, options?.text), values, table.rows, { target: data, offset: 0, stride: 1, datatype });
        return { name: input.name, datatype, shape, data };
      });
    },
    toColumns: (tensors) =>
      columns.flatMap((column, i) => {
        const tensor = tensors.find(({ name }) => name === inputs[i]?.name);
        return tensor === undefined ? [] : [{ name: column.name, values: plainValues(tensor) }];
      }),
  };
}

const rule = (spec: ColumnSpec, text: boolean | undefined): ColumnRule => ({ name: spec.name, type: spec.type, text: text === true });

function matrixPlan(columns: ColumnSpec[], input: TensorSpec): TablePlan {
  return {
    columns,
    toTensors: (table, options) => [matrix(input, columns, pick(columns, table), table.rows, options?.text)],
    toColumns: (tensors) =>
      tensors.filter(({ name }) => name === input.name).flatMap((tensor) => unstack(tensor, (i) => columns[i]?.name ?? numbered(tensor.name, i))),
  };
}

/** No names to go by: as many columns as the matrix is wide, in the order given. */
function anyColumnsPlan(input: TensorSpec): TablePlan {
  const width = input.shape[1] ?? -1;
  return {
    columns: null,
    toTensors(table, options) {
      if (width !== -1 && table.columns.length !== width)
        throw invalid('wrong_columns', `the model takes ${width} columns in its own order (input '${input.name}'), but the table has ${table.columns.length}`);
      const columns = table.columns.map(({ name }) => ({ name, type: input.datatype }));
      return [matrix(input, columns, table.columns, table.rows, options?.text)];
    },
    toColumns: (tensors) => outputColumns(tensors),
  };
}

function matrix(input: TensorSpec, columns: ColumnSpec[], given: Column[], rows: number, text: boolean | undefined): Tensor {
  const datatype = input.datatype as Datatype;
  const data = allocate(datatype, rows * columns.length);
  columns.forEach((spec, i) => fill(rule(spec, text), given[i]?.values ?? [], rows, { target: data, offset: i, stride: columns.length, datatype }));
  return { name: input.name, datatype, shape: [rows, columns.length], data };
}

function tensorsOnly(declared: ColumnSpec[] | null, inputs: readonly TensorSpec[]): TablePlan {
  const graph = inputs.map(({ name, datatype, shape }) => `${name} ${datatype}[${shape}]`).join(', ');
  const wanted = declared === null ? 'the model has no signature' : `the signature's columns (${declared.map(({ name }) => name).join(', ')})`;
  return {
    columns: null,
    toTensors() {
      throw invalid(
        'no_table',
        `a table cannot feed this model: ${wanted} and the graph's inputs (${graph}) do not fit together. Send tensors by name ('inputs', or Open Inference), or register the model with a signature that names one column an input.`,
      );
    },
    toColumns: (tensors) => outputColumns(tensors),
  };
}

/** FP16 as numbers; everything else as it is. */
const plainValues = ({ datatype, data }: Tensor): TensorData => (datatype === 'FP16' ? halfToFloat(data as Uint16Array) : data);

/** A tensor [N,K] as K columns of N. */
function unstack(tensor: Tensor, nameOf: (index: number) => string): Column[] {
  const rows = tensor.shape[0] ?? 0;
  const width = rows === 0 ? (tensor.shape[1] ?? 0) : tensor.data.length / rows;
  if (width > MAX_COLUMNS) return [];
  const values = plainValues(tensor);
  const out: Column[] = [];
  for (let k = 0; k < width; k++) {
    // A typed array of one value costs ten times the value, and single rows are the hot path.
    if (rows === 1) {
      out.push({ name: nameOf(k), values: [values[k] as number] });
      continue;
    }
    const column = Array.isArray(values) ? Array.from({ length: rows }, () => '') : new (values.constructor as new (length: number) => Float64Array)(rows);
    for (let row = 0; row < rows; row++) column[row] = values[row * width + k] as never;
    out.push({ name: nameOf(k), values: column });
  }
  return out;
}

/** Tensors as columns: [N] and [N,1] become `name`, [N,K] becomes `name[0]` … `name[K-1]` (further dimensions flattened). Scalars and what is wider than MAX_COLUMNS are left out. */
export function outputColumns(tensors: readonly Tensor[], rows?: number): Column[] {
  return tensors.flatMap((tensor) => {
    const own = tensor.shape[0];
    if (own === undefined || (rows !== undefined && own !== rows)) return [];
    if (tensor.data.length === own) return [{ name: tensor.name, values: plainValues(tensor) }];
    return unstack(tensor, (k) => numbered(tensor.name, k));
  });
}

const names = new Map<string, string[]>();

/** `name[k]`, made once: a string a column a request would be most of the log's garbage. */
function numbered(name: string, k: number): string {
  let list = names.get(name);
  if (list === undefined) {
    if (names.size > 1000) names.clear();
    list = [];
    names.set(name, list);
  }
  list[k] ??= `${name}[${k}]`;
  return list[k];
}

/** Loose values of one tensor, in order, checked against its datatype. Throws `invalid` naming the value. */
export function fillValues(spec: TensorSpec, shape: number[], values: readonly unknown[]): Tensor {
  const datatype = spec.datatype as Datatype;
  const data = allocate(datatype, values.length);
  fill({ name: spec.name, type: datatype, text: false }, values as Column['values'], values.length, { target: data, offset: 0, stride: 1, datatype });
  return { name: spec.name, datatype, shape, data };
}
