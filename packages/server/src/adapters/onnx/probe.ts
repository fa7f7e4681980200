import type { TensorSpec } from '@binnacle/contract';
import { type Datatype, TENSOR_ARRAYS, type Tensor, type TensorData } from '../../serving/tensor.ts';
import type { Session } from './binding.ts';
import { concatRows, sliceRows } from '../../serving/rows.ts';

/** What a first few runs of a model show. */
export interface ProbeResult {
  /** Median microseconds of a run of one row; NaN when no made-up input was accepted. */
  runMicros: number;
  /** Microseconds that one more row costs in a run of several; equals runMicros when rows cannot be merged. */
  rowMicros: number;
  /** True when rows of several requests may be run together: shapes allow it, and it was seen to change nothing. */
  batchable: boolean;
}

/** Tried for the free dimensions behind the first: small ones first, then what convolutions want. */
const FREE_SIZES = [1, 8, 32, 224];
const MEASURE_MS = 150;
/** Values of one made-up input: a graph may declare a shape of any size. */
const MAX_INVENTED = 2 ** 25;
const valuesIn = (shape: readonly number[]): number => shape.reduce((n, dimension) => n * dimension, 1);

/** Warms a session up and measures it. `sample` holds real rows, if there are any. Never throws for a model that rejects the inputs. */
export function probe(session: Session, sample: readonly Tensor[] | undefined): ProbeResult {
  const names = session.outputs.map((output) => output.name);
  const real = usableSample(session, names, sample);
  const rows = real ?? inventRows(session, names);
  if (rows === undefined) return { runMicros: Number.NaN, rowMicros: Number.NaN, batchable: false };
  const freeRows = [...session.inputs, ...session.outputs].every(({ shape }) => shape.length > 0 && shape[0] === -1) && session.inputs.length > 0;
  const one = freeRows ? take(rows, 0, 1) : rows;
  const runMicros = median(session, one, names);
  if (!freeRows || !mergesCleanly(session, names, rows)) return { runMicros, rowMicros: runMicros, batchable: false };
  return { runMicros, rowMicros: median(session, concatRows(Array.from({ length: 8 }, () => one)), names) / 8, batchable: true };
}

const take = (inputs: readonly Tensor[], from: number, to: number): Tensor[] => inputs.map((input) => sliceRows(input, from, to));
const rowCount = (inputs: readonly Tensor[]): number => inputs[0]?.shape[0] ?? 0;

function accepts(session: Session, inputs: readonly Tensor[], names: string[]): boolean {
  try {
    session.run(inputs, names);
    return true;
  } catch {
    return false;
  }
}

function usableSample(session: Session, names: string[], sample: readonly Tensor[] | undefined): Tensor[] | undefined {
  if (sample === undefined) return undefined;
  const ordered = session.inputs.map((spec) => sample.find((tensor) => tensor.name === spec.name && tensor.datatype === spec.datatype));
  if (ordered.some((tensor) => tensor === undefined || tensor.data.length === 0)) return undefined;
  return accepts(session, ordered as Tensor[], names) ? (ordered as Tensor[]) : undefined;
}

function inventRows(session: Session, names: string[]): Tensor[] | undefined {
  for (const size of session.inputs.some(({ shape }) => shape.slice(1).includes(-1)) ? FREE_SIZES : [1]) {
    // Five rows first, for the merge test; one where the first dimension is not free; then tamer values.
    for (const rows of [5, 1]) {
      for (const spread of [4, 2, 1]) {
        const shapes = session.inputs.map(({ shape }) => shape.map((dimension, i) => (dimension === -1 ? (i === 0 ? rows : size) : dimension)));
        if (shapes.some((shape) => valuesIn(shape) > MAX_INVENTED)) continue;
        const inputs = session.inputs.map((spec, i) => invent(spec, shapes[i] as number[], spread));
        if (accepts(session, inputs, names)) return inputs;
      }
    }
  }
  return undefined;
}

/** Values that differ from row to row; integers below `spread`, because they are often categories or indices. */
function invent(spec: TensorSpec, shape: number[], spread: number): Tensor {
  const count = valuesIn(shape);
  const datatype = spec.datatype as Datatype;
  let state = 12345;
  const next = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  if (datatype === 'BYTES')
    return {
      name: spec.name,
      datatype,
      shape,
      data: Array.from({ length: count }, () => (spread === 1 ? '' : String.fromCharCode(97 + Math.floor(next() * 3)))),
    };
  const data = new TENSOR_ARRAYS[datatype](count);
  const isFloat = datatype === 'FP32' || datatype === 'FP64';
  for (let i = 0; i < count; i++) {
    const value = isFloat
      ? next()
      : datatype === 'FP16'
        ? 0x3000 + Math.floor(next() * 0x0c00)
        : Math.floor(next() * (datatype === 'BOOL' ? Math.min(2, spread) : spread));
    data[i] = (data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(value) : value) as never;
  }
  return { name: spec.name, datatype, shape, data };
}

/**
 * Rows run apart and together must give the same. A free first dimension alone proves nothing: it may be time, and a graph may
 * normalise over the batch; merging would then answer with other people's data. Rows that are all alike prove nothing either.
 */
function mergesCleanly(session: Session, names: string[], rows: readonly Tensor[]): boolean {
  const count = Math.min(rowCount(rows), 5);
  if (count < 2 || rows.some((input) => input.shape[0] !== rowCount(rows))) return false;
  const differs = rows.some((input) => !sameData(sliceRows(input, 0, 1).data, sliceRows(input, count - 1, count).data));
  if (!differs) return false;
  try {
    const cut = Math.max(1, Math.floor(count / 2));
    const whole = session.run(take(rows, 0, count), names);
    const upper = session.run(take(rows, 0, cut), names);
    const lower = session.run(take(rows, cut, count), names);
    return whole.every((output, i) => {
      const a = upper[i] as Tensor;
      const b = lower[i] as Tensor;
      if (output.shape[0] !== count || a.shape[0] !== cut || b.shape[0] !== count - cut) return false;
      return sameData(sliceRows(output, 0, cut).data, a.data) && sameData(sliceRows(output, cut, count).data, b.data);
    });
  } catch {
    return false;
  }
}

/** Equal up to the rounding that another order of summation brings. */
function sameData(a: TensorData, b: TensorData): boolean {
  if (a.length !== b.length) return false;
  const floats = a instanceof Float32Array || a instanceof Float64Array;
  for (let i = 0; i < a.length; i++) {
    const x = a[i];
    const y = b[i];
    if (x === y || (x !== x && y !== y)) continue;
    if (!floats || Math.abs((x as number) - (y as number)) > 1e-6 + 1e-4 * Math.abs(x as number)) return false;
  }
  return true;
}

function median(session: Session, inputs: readonly Tensor[], names: string[]): number {
  const times: number[] = [];
  const until = performance.now() + MEASURE_MS;
  for (let i = 0; i < 40 && (i < 3 || performance.now() < until); i++) {
    const started = performance.now();
    session.run(inputs, names);
    // The first runs allocate; they are the warm-up.
    if (i >= 2) times.push((performance.now() - started) * 1000);
  }
  times.sort((x, y) => x - y);
  return times[Math.floor(times.length / 2)] ?? Number.NaN;
}
