import { isObject } from '../kernel/index.ts';
import { parseReply, shapeOf, valuesFromJson } from './json-values.ts';
import type { Datatype, Tensor } from '../serving/index.ts';

/** What an output is declared to be; a datatype of '' is taken from the values. */
export interface WantedOutput {
  name: string;
  datatype: string;
}

/**
 * The answer's `predictions` as tensors: a list (of lists) is the one output, a list of objects is a table, an object a tensor a key. Throws an Error
 * for what fits none of them.
 */
export function predictionsOf(text: string, outputs: readonly WantedOutput[]): Tensor[] {
  const parsed = parseReply(
    text,
    outputs.some(({ datatype }) => datatype === 'INT64' || datatype === 'UINT64'),
  );
  const predictions = isObject(parsed) && 'predictions' in parsed ? parsed.predictions : parsed;
  if (Array.isArray(predictions) && predictions.length > 0 && predictions.every(isObject)) return fromRows(predictions, outputs);
  if (isObject(predictions)) return wanted(Object.keys(predictions), outputs).map(({ name, key, datatype }) => tensorOf(name, datatype, predictions[key]));
  if (outputs.length > 1) return splitColumns(predictions, outputs);
  const [only] = outputs;
  return [tensorOf(only?.name ?? 'predictions', only?.datatype ?? '', predictions)];
}

function fromRows(rows: Record<string, unknown>[], outputs: readonly WantedOutput[]): Tensor[] {
  return wanted(Object.keys(rows[0] ?? {}), outputs).map(({ name, key, datatype }) =>
    tensorOf(
      name,
      datatype,
      rows.map((row) => row[key]),
    ),
  );
}

/** The declared outputs by their keys in the answer; a single one by whatever name it has there. */
function wanted(keys: string[], outputs: readonly WantedOutput[]): (WantedOutput & { key: string })[] {
  if (outputs.length === 1 && keys.length === 1) return [{ ...(outputs[0] as WantedOutput), key: keys[0] as string }];
  if (outputs.length === 1 && outputs[0]?.datatype === '') return keys.map((key) => ({ name: key, key, datatype: '' }));
  return outputs.map((output, i) => {
    const key = keys.includes(output.name) ? output.name : keys.length === outputs.length ? keys[i] : undefined;
    if (key === undefined) throw new Error(`output '${output.name}' is not in the answer, which has ${keys.slice(0, 20).join(', ')}`);
    return { ...output, key };
  });
}

/** Rows of several columns that lost their names. */
function splitColumns(rows: unknown, outputs: readonly WantedOutput[]): Tensor[] {
  if (!Array.isArray(rows) || !rows.every((row) => Array.isArray(row) && row.length === outputs.length))
    throw new Error(`its predictions are no rows of ${outputs.length} columns`);
  return outputs.map(({ name, datatype }, i) =>
    tensorOf(
      name,
      datatype,
      (rows as unknown[][]).map((row) => row[i]),
    ),
  );
}

function tensorOf(name: string, declared: string, values: unknown): Tensor {
  // A value that is no scalar stands as JSON text in a tensor of strings.
  const flat = Array.isArray(values) ? values : [values];
  if (declared === 'BYTES') {
    const shape = flat.some(Array.isArray) && flat.flat(Number.POSITIVE_INFINITY).every((value) => typeof value === 'string') ? shapeOf(flat) : [flat.length];
    return valuesFromJson(name, 'BYTES', shape, shape.length === 1 ? flat.map(text) : flat);
  }
  return valuesFromJson(name, declared === '' ? typeOf(flat) : (declared as Datatype), shapeOf(flat), flat);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function typeOf(values: unknown[]): Datatype {
  const flat = values.flat(Number.POSITIVE_INFINITY);
  if (flat.length > 0 && flat.every((value) => typeof value === 'boolean')) return 'BOOL';
  return flat.some((value) => typeof value === 'string' && !/^(NaN|-?Infinity)$/.test(value)) ? 'BYTES' : 'FP64';
}
