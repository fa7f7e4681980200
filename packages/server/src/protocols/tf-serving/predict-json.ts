import { isObject } from '../../kernel/index.ts';
import { type Datatype, type Tensor, textOfBytes, type VersionInfo } from '../../serving/index.ts';
import type { Table } from '../../tables/index.ts';
import { bad, bytesOf, debug, isBase64, isNaNToken, type Json, typeOf } from './json.ts';
import { checkLists, shapeOf, ValueWriter } from './values.ts';

type Spec = VersionInfo['inputs'][number];

/** `instances`: a tensor's rows one by one, `predictions` come back; `inputs`: whole tensors, `outputs` come back. */
export type PredictInput = { format: 'row'; instances: readonly unknown[] } | { format: 'columnar'; inputs: unknown };

/** What a :predict request holds. Throws `invalid` with TensorFlow Serving's texts. */
export function predictInputOf(request: Json): PredictInput {
  const { instances, inputs } = request;
  if (instances !== undefined) {
    if (inputs !== undefined) throw bad(`JSON Value: ${debug(request)} Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist `);
    if (!Array.isArray(instances)) throw bad(`JSON Value: ${debug(request)} Expecting 'instances' to be an list/array`);
    if (instances.length === 0) throw bad(`JSON Value: ${debug(request)} No values in 'instances' array`);
    return { format: 'row', instances };
  }
  if (inputs === undefined) throw bad("Missing 'inputs' or 'instances' key");
  return { format: 'columnar', inputs };
}

/** The model's inputs from a request. Throws `invalid` with TensorFlow Serving's texts. */
export function tensorsOf(version: VersionInfo, input: PredictInput): Tensor[] {
  if (version.inputs.length === 0) throw bad('Failed to get input map for signature: DEFAULT');
  return input.format === 'row' ? fromRows(version, input.instances) : fromColumns(version, input.inputs);
}

/** An object of named inputs. */
const isNamed = (value: unknown): value is Json => isObject(value) && !isBase64(value);

/** [N] where the graph wants [N,1], as exporters of tables make it. */
export const fitted = (spec: Spec, shape: number[]): number[] => (shape.length === spec.shape.length - 1 && spec.shape.at(-1) === 1 ? [...shape, 1] : shape);

const sizeOf = (shape: readonly number[]): number => shape.reduce((n, dimension) => n * dimension, 1);

function fromColumns(version: VersionInfo, value: unknown): Tensor[] {
  const whole = (spec: Spec, item: unknown): Tensor => {
    const shape = shapeOf(item);
    checkLists(item, shape);
    const datatype = spec.datatype as Datatype;
    const writer = new ValueWriter(datatype, sizeOf(shape));
    writer.write(item, shape.length);
    return { name: spec.name, datatype, shape: fitted(spec, shape), data: writer.data };
  };
  if (isNamed(value)) {
    if (isTable(version, value)) return version.toTensors(tableOf(Object.entries(value).map(([name, list]) => [name, columnOf(name, list)])));
    return version.inputs.map((spec) => {
      if (!Object.hasOwn(value, spec.name)) throw bad(`Missing named input: ${spec.name} in 'inputs' object.`);
      return whole(spec, value[spec.name]);
    });
  }
  if (version.inputs.length > 1) throw bad('inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map');
  return [whole(version.inputs[0] as Spec, value)];
}

/** A model of tables may be fed by the names of its columns where its one input is the matrix of all: more than TensorFlow Serving knows. */
const isTable = (version: VersionInfo, value: Json): boolean =>
  version.columns?.some(({ name }) => Object.hasOwn(value, name)) === true && !version.inputs.some(({ name }) => Object.hasOwn(value, name));

const valueIn = (instance: Json, name: string): unknown => (Object.hasOwn(instance, name) ? instance[name] : null);

type Cell = string | number | boolean | bigint | null;

function cell(name: string, value: unknown): Cell {
  if (isNaNToken(value)) return Number.NaN;
  if (isBase64(value)) return textOfBytes(bytesOf(value));
  // What holds one value in a list is a value: [N,1] is a column, too.
  if (Array.isArray(value) && value.length === 1) return cell(name, value[0]);
  if (value !== null && typeof value === 'object') throw bad(`JSON Value: ${debug(value)} Type: ${typeOf(value)} is no value of the column ${name}`);
  return value as Cell;
}

/** Cells of a table beyond which it may not be mostly holes: a body of a megabyte can make a table of gigabytes. */
const MAX_SPARSE_CELLS = 2 ** 22;

/** The first instance's names that the model has columns of: others are not looked at, and cost nothing. Throws `invalid` where most values are missing. */
function columnNames(version: VersionInfo, instances: readonly Json[]): string[] {
  const known = new Set(version.columns?.map(({ name }) => name));
  const names = Object.keys(instances[0] as Json).filter((name) => known.has(name));
  const cells = names.length * instances.length;
  if (cells <= MAX_SPARSE_CELLS) return names;
  let given = 0;
  for (const instance of instances) for (const name of names) if (Object.hasOwn(instance, name)) given++;
  if (cells > 2 * given)
    throw bad(`the ${instances.length} instances lack most of the ${names.length} columns that the first one has; give every instance the same names`);
  return names;
}

const columnOf = (name: string, list: unknown): Cell[] => (Array.isArray(list) ? list.map((value) => cell(name, value)) : [cell(name, list)]);

const tableOf = (columns: [string, Cell[]][]): Table => ({
  rows: columns[0]?.[1].length ?? 0,
  columns: columns.map(([name, values]) => ({ name, values })),
});

function fromRows(version: VersionInfo, instances: readonly unknown[]): Tensor[] {
  const { inputs } = version;
  const named = isNamed(instances[0]);
  if (!named && inputs.length > 1)
    throw bad('instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map');
  instances.forEach((instance, i) => {
    if (named && !isNamed(instance)) throw bad(`Expecting object but got list at item ${i} of input list`);
    if (!named && isNamed(instance)) throw bad(`Expecting value/list but got object at item ${i} of input list`);
  });
  if (named && isTable(version, instances[0] as Json)) {
    const names = columnNames(version, instances as readonly Json[]);
    return version.toTensors(tableOf(names.map((name) => [name, instances.map((instance) => cell(name, valueIn(instance as Json, name)))])));
  }
  if (named) instances.forEach((instance, i) => checkKeys(inputs, instance as Json, i));
  return inputs.map((spec) => stack(spec, instances, named));
}

function checkKeys(inputs: readonly Spec[], instance: Json, index: number): void {
  const keys = Object.keys(instance);
  const unknown = keys.find((key) => !inputs.some(({ name }) => name === key));
  if (unknown !== undefined) throw element(index, unknown, `JSON object: does not have named input: ${unknown}`);
  if (keys.length !== inputs.length)
    throw bad(
      `Failed to process element: ${index} of 'instances' list. JSON object: ${debug(instance)} keys must be equal to: ${inputs
        .map(({ name }) => name)
        .toSorted()
        .join(',')}`,
    );
}

const element = (index: number, key: string | undefined, why: string): Error =>
  bad(`Failed to process element: ${index}${key === undefined ? '' : ` key: ${key}`} of 'instances' list. Error: INVALID_ARGUMENT: ${why}`);

/** One input of all instances, which must be of one shape. */
function stack(spec: Spec, instances: readonly unknown[], named: boolean): Tensor {
  const { name } = spec;
  const valueOf = (instance: unknown): unknown => (named ? (instance as Json)[name] : instance);
  const inside = <T>(index: number, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw element(index, named ? name : undefined, (error as Error).message);
    }
  };
  const shape = inside(0, () => shapeOf(valueOf(instances[0])));
  instances.forEach((instance, i) => inside(i, () => checkInstance(valueOf(instance), shape)));
  const datatype = spec.datatype as Datatype;
  const writer = new ValueWriter(datatype, instances.length * sizeOf(shape));
  for (let i = 0; i < instances.length; i++) inside(i, () => writer.write(valueOf(instances[i]), shape.length));
  return { name, datatype, shape: fitted(spec, [instances.length, ...shape]), data: writer.data };
}

function checkInstance(value: unknown, shape: readonly number[]): void {
  const own = shapeOf(value);
  if (sizeOf(own) !== sizeOf(shape)) throw bad(`Expecting tensor size: ${sizeOf(shape)} but got: ${sizeOf(own)}`);
  if (own.length !== shape.length || own.some((dimension, i) => dimension !== shape[i])) throw bad(`Expecting shape [${shape}] but got: [${own}]`);
  checkLists(value, shape);
}
