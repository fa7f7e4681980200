import { isObject } from '../kernel/index.ts';
import type { Signature, TensorSpec } from './types.ts';

type ColumnSpec = Signature['inputs'][number];

/** numpy's names of element types → Open Inference's. */
const DATATYPES: Record<string, string> = {
  bool: 'BOOL',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  object: 'BYTES',
  str: 'BYTES',
  string: 'BYTES',
  bytes: 'BYTES',
};
const NUMPY: Record<string, string> = { ...Object.fromEntries(Object.entries(DATATYPES).map(([numpy, datatype]) => [datatype, numpy])), BYTES: 'object' };

/** Open Inference's element types → MLflow's column types. FP32 is `double`: MLflow refuses to narrow a data frame's float64, and its ONNX flavour does it itself. */
const COLUMN_TYPES: Record<string, string> = {
  BOOL: 'boolean',
  INT8: 'integer',
  INT16: 'integer',
  INT32: 'integer',
  INT64: 'long',
  FP32: 'double',
  FP64: 'double',
  BYTES: 'string',
};

/**
 * One side of an MLflow signature (a JSON array as text): columns keep MLflow's type (`double`, `array<string>`), tensors get an Open Inference
 * datatype and a shape. A name that is missing is ''. Throws an Error that says what is wrong.
 */
export function parseSchema(text: string): ColumnSpec[] {
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed)) throw new Error('a schema must be a list of columns');
  return parsed.map((column: unknown) => {
    if (!isObject(column)) throw new Error('a column must be an object');
    const name = column.name === undefined || column.name === null ? '' : String(column.name);
    if (column.type === 'tensor') {
      const spec = column['tensor-spec'];
      if (!isObject(spec) || typeof spec.dtype !== 'string' || !Array.isArray(spec.shape))
        throw new Error(`the tensor ${JSON.stringify(name)} has no dtype and shape`);
      return { name, type: datatypeOf(spec.dtype), shape: spec.shape.map((size) => (Number.isInteger(size) && Number(size) >= 0 ? Number(size) : -1)) };
    }
    const required = typeof column.required === 'boolean' ? column.required : column.optional !== true;
    return { name, type: typeName(column, 0), required };
  });
}

function datatypeOf(dtype: string): string {
  const plain = dtype.replace(/^[<>|=]/, '');
  // Byte strings and unicode of a fixed width are written as numpy's codes.
  return DATATYPES[plain] ?? (/^[USO]\d*$/.test(plain) ? 'BYTES' : plain.toUpperCase());
}

function typeName(column: Record<string, unknown>, depth: number): string {
  if (depth > 20) throw new Error('types are nested too deeply');
  const inner = (value: unknown) => (isObject(value) ? typeName(value, depth + 1) : 'any');
  if (typeof column.type !== 'string') throw new Error('a column has no type');
  if (column.type === 'array') return `array<${inner(column.items)}>`;
  if (column.type === 'map') return `map<${inner(column.values)}>`;
  return column.type;
}

/** Names that the signature leaves out, taken from the graph when it has as many. */
export function nameColumns(columns: ColumnSpec[], tensors: TensorSpec[] | undefined): ColumnSpec[] {
  if (columns.every(({ name }) => name !== '')) return columns;
  return columns.map((column, i) => ({
    ...column,
    name: column.name !== '' ? column.name : tensors?.length === columns.length ? (tensors[i]?.name ?? `${i}`) : `${i}`,
  }));
}

/** The signature, as MLflow writes it, of a graph that came without one: columns when every input is one value a row, tensors otherwise. */
export function signatureOfGraph(tensors: { inputs: TensorSpec[]; outputs: TensorSpec[] }): { inputs: string; outputs: string; params: null } {
  const tensor = ({ name, datatype, shape }: TensorSpec) => ({
    name,
    type: 'tensor',
    'tensor-spec': { dtype: NUMPY[datatype] ?? datatype.toLowerCase(), shape },
  });
  const isColumn = ({ datatype, shape }: TensorSpec) =>
    shape[0] === -1 && (shape.length === 1 || (shape.length === 2 && shape[1] === 1)) && datatype in COLUMN_TYPES;
  const inputs = tensors.inputs.every(isColumn)
    ? tensors.inputs.map(({ name, datatype }) => ({ name, type: COLUMN_TYPES[datatype], required: true }))
    : tensors.inputs.map(tensor);
  return { inputs: JSON.stringify(inputs), outputs: JSON.stringify(tensors.outputs.map(tensor)), params: null };
}
