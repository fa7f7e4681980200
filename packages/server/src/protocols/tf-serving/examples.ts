import { BinnacleError, isObject } from '../../kernel/index.ts';
import { fillValues, type Tensor, textOfBytes, type VersionInfo } from '../../serving/index.ts';
import { bad, bytesOf, debug, isBase64, isNaNToken, type Json, typeOf } from './json.ts';

/** A tf.Example: lists of numbers or of strings by feature. */
export type Example = ReadonlyMap<string, readonly (number | bigint | string)[]>;

/** The examples of a :classify or :regress request; the context's features are part of each. Throws `invalid` with TensorFlow Serving's texts. */
export function examplesOf(request: Json): Example[] {
  const { examples, context } = request;
  const shared = context === undefined ? undefined : exampleOf(context);
  if (examples === undefined) throw bad(`JSON Value: ${debug(request)} When method is classify, key 'examples' is expected and was not found`);
  if (!Array.isArray(examples)) throw bad(`JSON Value: ${debug(request)} Expecting 'examples' value to be an list/array`);
  if (examples.length === 0) throw bad(`JSON Value: ${debug(request)} 'examples' value is an empty array`);
  return examples.map((example: unknown) => withContext(exampleOf(example), shared));
}

export const withContext = (example: Example, context: Example | undefined): Example => (context === undefined ? example : new Map([...context, ...example]));

function exampleOf(value: unknown): Example {
  if (!isObject(value)) throw bad(`Example must be JSON object but got JSON ${typeOf(value)}`);
  return new Map(Object.entries(value).map(([name, content]) => [name, featureOf(name, Array.isArray(content) ? content : [content])]));
}

function featureOf(name: string, list: readonly unknown[]): (number | bigint | string)[] {
  const values = list.map((value): number | bigint | string => {
    if (isNaNToken(value)) return Number.NaN;
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') return value;
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (isBase64(value)) return textOfBytes(bytesOf(value));
    throw bad(`Feature: ${name} has element with unexpected JSON type: ${typeOf(value)}`);
  });
  const texts = values.filter((value) => typeof value === 'string').length;
  if (texts > 0 && texts < values.length)
    throw bad(`Unexpected element type in feature: ${name} expecting type: ${typeof values[0] === 'string' ? 'bytes' : 'float'}`);
  return values;
}

/**
 * Examples as the model's inputs: a feature an input by name, or, for a model of tables, a feature a column. Throws `invalid` naming what is
 * missing or of the wrong size.
 */
export function examplesToTensors(version: VersionInfo, examples: readonly Example[]): Tensor[] {
  if (examples.length === 0) throw bad('Input is empty.');
  const has = (name: string): boolean => examples.some((example) => example.has(name));
  if (version.inputs.every(({ name }) => has(name))) return version.inputs.map((spec) => inputOf(spec, examples));
  const columns = version.columns?.map(({ name }) => name);
  if (columns !== undefined && columns.some(has))
    return version.toTensors({ rows: examples.length, columns: columns.filter(has).map((name) => ({ name, values: column(name, examples) })) });
  const wanted = columns ?? version.inputs.map(({ name }) => name);
  const missing = wanted.filter((name) => !has(name));
  throw bad(`the examples lack the feature${missing.length > 1 ? 's' : ''} ${missing.map((name) => `'${name}'`).join(', ')} of model '${version.model}'`);
}

function column(name: string, examples: readonly Example[]): (string | number)[] {
  return examples.map((example, i) => {
    const values = example.get(name) ?? [];
    if (values.length > 1) throw bad(`Feature: ${name} of example ${i} has ${values.length} values, but the model takes one`);
    // A feature without values is a missing one; a table's columns know what that means.
    return (values[0] ?? null) as number;
  });
}

function inputOf(spec: VersionInfo['inputs'][number], examples: readonly Example[]): Tensor {
  const { name, shape } = spec;
  const first = examples[0]?.get(name)?.length ?? 0;
  const inner = innerShape(name, shape.slice(1), first);
  const width = inner.reduce((n, dimension) => n * dimension, 1);
  const values: (number | bigint | string)[] = [];
  examples.forEach((example, i) => {
    const own = example.get(name) ?? [];
    if (own.length !== width)
      throw bad(`Name: <unknown>, Key: ${name}, Index: ${i}.  Number of values != expected.  Values size: ${own.length} but output shape: [${inner}]`);
    for (const value of own) values.push(value);
  });
  try {
    return fillValues(spec, [examples.length, ...inner], values);
  } catch (error) {
    throw error instanceof BinnacleError ? bad(error.message.replace(`of column '${name}'`, `of feature '${name}'`)) : error;
  }
}

/** The shape of one example's values: one free dimension follows from their number. */
function innerShape(name: string, shape: readonly number[], count: number): number[] {
  const free = shape.filter((dimension) => dimension === -1).length;
  if (free > 1)
    throw bad(`input '${name}' has the shape [-1,${shape}] with ${free} free dimensions beside the batch, which an example cannot say; use predict`);
  const known = shape.reduce((n, dimension) => (dimension === -1 ? n : n * dimension), 1);
  return shape.map((dimension) => (dimension === -1 ? Math.floor(count / Math.max(1, known)) : dimension));
}
