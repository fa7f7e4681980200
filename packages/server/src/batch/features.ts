import type { ColumnSpec, TensorSpec } from '@binnacle/contract';
import { invalid, unsupported } from '../kernel/index.ts';
import { kindOf } from '../serving/index.ts';
import type { TableColumn } from '../tables/index.ts';
import type { FeatureArray, FeatureColumn } from './batch-input.port.ts';

export interface ModelShape {
  /** By the signature; null when the model takes any columns in its own order. */
  columns: ColumnSpec[] | null;
  inputs: TensorSpec[];
}

const plain = (name: string): string => name.replace(/\W/g, '_');
/** FP16 is made from FP32 when the tensor is built. */
const arrayOf = (datatype: string): FeatureArray => (datatype === 'FP16' ? 'FP32' : (datatype as FeatureArray));

/**
 * The columns that a model needs of a table, each in the array type that its tensor has, so that no value is converted one by one.
 * Throws `invalid` (missing_column) naming every column that is not there, and `unsupported` for models that take no table.
 */
export function planFeatures(model: ModelShape, available: readonly TableColumn[]): FeatureColumn[] {
  const [only] = model.inputs;
  const matrix = model.inputs.length === 1 && only !== undefined && only.shape.length === 2 && only.shape[1] !== 1 ? only : undefined;
  if (model.columns === null) {
    if (matrix === undefined)
      throw unsupported(
        'batch_no_table',
        `The model takes no table: its inputs are ${model.inputs.map(({ name, datatype, shape }) => `${name} ${datatype}[${shape}]`).join(', ')}. Register it with a signature that names one column an input.`,
      );
    const width = matrix.shape[1] ?? -1;
    if (width !== -1 && width !== available.length)
      throw invalid(
        'wrong_columns',
        `The model has no named columns; its input '${matrix.name}' takes ${width} in its own order, but there are ${available.length} (${available.map(({ name }) => name).join(', ')}). Choose and order them by 'select'.`,
      );
    return available.map(({ name }) => feature({ name, type: matrix.datatype }, matrix.datatype));
  }
  const find = (name: string): TableColumn | undefined =>
    available.find((column) => column.name === name) ?? available.find((column) => column.name.toLowerCase() === name.toLowerCase());
  const missing = model.columns.filter((column) => find(column.name) === undefined && !optional(column)).map(({ name }) => name);
  if (missing.length > 0)
    throw invalid(
      'missing_column',
      `The input lacks the column${missing.length > 1 ? 's' : ''} ${missing.map((name) => `'${name}'`).join(', ')} that the model needs; it has ${available.map(({ name }) => `'${name}'`).join(', ') || 'none'}. Columns can be made by 'select'.`,
      {
        details: { missing },
      },
    );
  return model.columns
    .filter((column) => find(column.name) !== undefined)
    .map((column) => {
      const input = matrix ?? model.inputs.find(({ name }) => name === column.name) ?? model.inputs.find(({ name }) => plain(name) === plain(column.name));
      return feature(column, input?.datatype ?? column.type);
    });
}

/** Left out, it is filled with NaN. */
const optional = (column: ColumnSpec): boolean => column.required === false && kindOf(column.type) === 'float';

function feature(column: ColumnSpec, datatype: string): FeatureColumn {
  const kind = kindOf(column.type);
  if (kind === undefined)
    throw unsupported('unsupported_type', `The signature's column '${column.name}' has the type '${column.type}', which no table can feed.`);
  const array = kind === 'boolean' && datatype !== 'BYTES' ? 'BOOL' : arrayOf(datatype);
  const number = array === 'FP32' || array === 'FP64';
  return { name: column.name, array, whole: array !== 'BYTES' && array !== 'BOOL' && (kind === 'integer' || !number), nullable: kind === 'float' && number };
}
