import { invalid, unsupported } from '../../kernel/index.ts';
import { classLabels, halfToFloat, type Tensor, type VersionInfo } from '../../serving/index.ts';

/** C's %f, as Triton writes values of floats. */
function fixed(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}

/** Names of an output's classes; undefined when the model names none. */
export const labelsOf = (version: Pick<VersionInfo, 'pkg'>, output: string): string[] | undefined => classLabels(version.pkg, output);

/**
 * The `count` best of each row as BYTES `value:index[:label]` (Triton's classification extension): shape [rows, k] where the first dimension
 * is the batch, else [k] over the whole tensor. Equal values keep their order, NaN comes last.
 */
export function classify(output: Tensor, count: number, version: Pick<VersionInfo, 'pkg' | 'batchable'>): Tensor {
  const { name, datatype, shape } = output;
  if (datatype === 'BYTES') throw unsupported('class_unsupported', `class result not available for output due to unsupported type 'BYTES'`);
  const batched = version.batchable && shape.length > 0;
  const rows = batched ? (shape[0] as number) : 1;
  const values = datatype === 'FP16' ? halfToFloat(output.data as Uint16Array) : (output.data as Float64Array | BigInt64Array);
  const width = rows === 0 ? 0 : values.length / rows;
  const k = Math.min(count, width);
  if (!Number.isInteger(width)) throw invalid('class_shape', `class result not available for output '${name}': its shape [${shape}] holds no whole rows`);
  const labels = labelsOf(version, name);
  const float = datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64';
  const data: string[] = [];
  for (let row = 0; row < rows; row++) {
    for (const index of best(values, row * width, width, k)) {
      const value = values[row * width + index] as number | bigint;
      const label = labels?.[index];
      data.push(`${float ? fixed(value as number) : value}:${index}${label === undefined || label === '' ? '' : `:${label}`}`);
    }
  }
  return { name, datatype: 'BYTES', shape: batched ? [rows, k] : [k], data };
}

/** Indices of the k highest of a row, the highest first. */
function best(values: ArrayLike<number | bigint>, from: number, width: number, k: number): number[] {
  const above = (a: number, b: number): number => {
    const [x, y] = [values[from + a] as number, values[from + b] as number];
    if (x > y) return -1;
    if (x < y) return 1;
    if (x === y) return a - b;
    return Number.isNaN(x) ? (Number.isNaN(y) ? a - b : 1) : -1;
  };
  if (k === 1) {
    let top = 0;
    for (let i = 1; i < width; i++) if (above(i, top) < 0) top = i;
    return [top];
  }
  return Array.from({ length: width }, (_, i) => i)
    .sort(above)
    .slice(0, k);
}
