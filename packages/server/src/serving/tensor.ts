/** Tensor datatypes by their Open Inference names. */
export type Datatype = 'BOOL' | 'UINT8' | 'UINT16' | 'UINT32' | 'UINT64' | 'INT8' | 'INT16' | 'INT32' | 'INT64' | 'FP16' | 'FP32' | 'FP64' | 'BYTES';

/** BOOL is 0/1 in a Uint8Array, FP16 the raw bits in a Uint16Array, 64-bit integers are BigInt arrays, BYTES is an array of strings. */
export type TensorData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | string[];

/** A dense tensor in row-major order; `shape` has no -1. */
export interface Tensor {
  name: string;
  datatype: Datatype;
  shape: number[];
  data: TensorData;
}

/** A named column of a table: one value a row. Numbers are NaN and strings null where missing. */
export interface Column {
  name: string;
  values: TensorData | (string | number | boolean | bigint | null)[];
}

/** Columns of equal length. */
export interface Table {
  rows: number;
  columns: Column[];
}
