import { internal, unsupported } from '../kernel/index.ts';
import { halfToFloat, type Tensor } from '../serving/index.ts';
import type { Column } from '../tables/index.ts';
import type { OutputColumn } from './batch-input.port.ts';
import { pick } from './pick.ts';

/** Values a row beyond which an output is no table any more. */
const MAX_COLUMNS = 1024;

const TYPES: Record<string, OutputColumn['type']> = {
  FP16: 'FLOAT',
  FP32: 'FLOAT',
  FP64: 'DOUBLE',
  INT8: 'TINYINT',
  INT16: 'SMALLINT',
  INT32: 'INTEGER',
  INT64: 'BIGINT',
  UINT8: 'UTINYINT',
  UINT16: 'USMALLINT',
  UINT32: 'UINTEGER',
  UINT64: 'UBIGINT',
  BOOL: 'BOOLEAN',
  BYTES: 'VARCHAR',
};
const ARRAYS = {
  FLOAT: Float32Array,
  DOUBLE: Float64Array,
  TINYINT: Int8Array,
  SMALLINT: Int16Array,
  INTEGER: Int32Array,
  BIGINT: BigInt64Array,
  UTINYINT: Uint8Array,
  USMALLINT: Uint16Array,
  UINTEGER: Uint32Array,
  UBIGINT: BigUint64Array,
  BOOLEAN: Uint8Array,
};

interface Planned {
  column: OutputColumn;
  /** The output's own name. */
  name: string;
  tensor: number;
  offset: number;
  stride: number;
}

/** What a job's first run showed of the outputs; shared by its chunks, so that all parts have the same columns. */
export interface OutputLayout {
  shapes?: { name: string; datatype: string; width: number }[];
}

/**
 * Gathers the outputs of a chunk's runs into columns: an output [N] or [N,1] is one column of its name, [N,K] is `name_0` … `name_K-1`
 * (further dimensions flattened). A name that an input column has already becomes `predicted_name`.
 */
export class OutputCollector {
  readonly #rows: number;
  readonly #taken: ReadonlySet<string>;
  readonly #layout: OutputLayout;
  #columns: Planned[] | undefined;

  /** `taken`: names of the columns passed through, lower case. */
  constructor(rows: number, taken: ReadonlySet<string>, layout: OutputLayout = {}) {
    this.#rows = rows;
    this.#taken = taken;
    this.#layout = layout;
  }

  /** Columns of a chunk without a row: as other chunks have them, else by the outputs' declared shapes. */
  declare(outputs: { name: string; datatype: string; shape: number[] }[]): void {
    this.#columns ??= this.#plan(
      this.#layout.shapes ??
        outputs.map(({ name, datatype, shape }) => ({ name, datatype, width: shape.slice(1).reduce((product, n) => product * Math.max(1, n), 1) })),
    );
  }

  /** Puts a run's outputs at `at`…; `rows` is the number of rows that it was given. */
  add(tensors: readonly Tensor[], at: number, rows: number): void {
    const shapes = tensors.map(({ name, datatype, shape, data }) => {
      if (shape[0] !== rows)
        throw internal(
          'wrong_output_rows',
          `The model's output '${name}' has the shape [${shape}] for ${rows} rows; a model that predicts tables must answer one row a row.`,
        );
      return { name, datatype, width: rows === 0 ? 1 : data.length / rows };
    });
    this.#layout.shapes ??= shapes;
    this.#columns ??= this.#plan(shapes);
    const data = tensors.map((tensor) => (tensor.datatype === 'FP16' ? halfToFloat(tensor.data as Uint16Array) : tensor.data));
    for (const { column, tensor, offset, stride } of this.#columns) {
      const source = data[tensor] as Float32Array;
      const target = column.values as Float32Array;
      if (source.length !== rows * stride)
        throw internal('wrong_output_rows', `The model's output '${column.name}' changes its width from run to run, so it cannot be a column.`);
      if (stride === 1 && !Array.isArray(source)) target.set(source, at);
      else for (let row = 0, from = offset; row < rows; row++, from += stride) target[at + row] = source[from] as number;
    }
  }

  /** Takes rows at some positions out again. */
  drop(dropped: { has(at: number): boolean }): void {
    const keep = Array.from({ length: this.#rows }, (_, at) => at).filter((at) => !dropped.has(at));
    for (const { column } of this.#columns ?? []) column.values = pick(column.values, keep);
  }

  /** Some rows under the names that live predictions have: `name`, or `name[0]` … for more than one value a row. */
  monitored(keep: readonly number[]): Column[] {
    return (this.#columns ?? []).map(({ column, name, offset, stride }) => ({
      name: stride === 1 ? name : `${name}[${offset}]`,
      values: pick(column.values, keep),
    }));
  }

  get columns(): OutputColumn[] {
    return (this.#columns ?? []).map(({ column }) => column);
  }

  #plan(shapes: { name: string; datatype: string; width: number }[]): Planned[] {
    const used = new Set<string>();
    return shapes.flatMap(({ name, datatype, width }, tensor) => {
      const type = TYPES[datatype];
      if (type === undefined) throw unsupported('output_type', `The model's output '${name}' is ${datatype}, which cannot be a column.`);
      if (width > MAX_COLUMNS)
        throw unsupported('output_too_wide', `The model's output '${name}' has ${width} values a row; at most ${MAX_COLUMNS} become columns.`);
      return Array.from({ length: width }, (_, k) => {
        const values = type === 'VARCHAR' ? Array.from({ length: this.#rows }, () => '') : new ARRAYS[type](this.#rows);
        return { column: { name: free(width === 1 ? name : `${name}_${k}`, this.#taken, used), type, values }, name, tensor, offset: k, stride: width };
      });
    });
  }
}

/** A name that is still free; engines compare them without case. */
function free(name: string, taken: ReadonlySet<string>, used: Set<string>): string {
  let candidate = taken.has(name.toLowerCase()) ? `predicted_${name}` : name;
  while (taken.has(candidate.toLowerCase()) || used.has(candidate.toLowerCase())) candidate = `${candidate}_`;
  used.add(candidate.toLowerCase());
  return candidate;
}
