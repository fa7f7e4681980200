import { isUtf8 } from 'node:buffer';
import { type BinnacleError, invalid, isObject } from '../../kernel/index.ts';
import type { Tensor, VersionInfo } from '../../serving/index.ts';
import { callOf } from './call.ts';
import { isDatatype } from './datatypes.ts';
import { idOf } from './fields.ts';
import { dataFromJson, dataToJson, parseExact } from './json-tensors.ts';
import type { InferenceReply, InferenceRequest } from './types.ts';

const bad = (text: string): BinnacleError => invalid('invalid_request', text);
type Json = Record<string, unknown>;
/** Lists of lists in a value; a model's rank is far below. */
const MAX_DEPTH = 64;

/**
 * A generate request (Triton's generate extension): `id`, and fields, of the object itself or of its `parameters`, that are the model's inputs
 * by name (a value or a list) or else parameters of the request. `inputs` are the model's, by which the two are told apart.
 */
export function parseGenerateRequest(body: Buffer, inputs: readonly { name: string }[]): InferenceRequest {
  if (!isUtf8(body)) throw bad('failed to parse the request JSON buffer: it is not UTF-8');
  const request = parseExact(body.toString('utf8'), true);
  if (!isObject(request)) throw bad('the request must be a JSON object');
  const names = new Set(inputs.map(({ name }) => name));
  const values = new Map<string, unknown>();
  const parameters: Json = {};
  const take = (fields: Json): void => {
    for (const [name, value] of Object.entries(fields)) {
      if (names.has(name)) {
        if (values.has(name)) throw bad(`input '${name}' already exists in request`);
        values.set(name, value);
      } else if (fields === request && name === 'id') continue;
      else if (fields === request && name === 'parameters' && isObject(value)) take(value);
      else parameters[name] = value;
    }
  };
  take(request);
  return {
    id: names.has('id') ? undefined : idOf(request['id']),
    inputs: (version) => [...values].map(([name, value]) => tensorOf(version, name, value)),
    outputs: undefined,
    binaryDefault: false,
    call: callOf(parameters),
  };
}

function countOf(value: unknown, depth = 0): number {
  if (!Array.isArray(value)) return 1;
  if (depth > MAX_DEPTH) throw bad('a list is nested too deep');
  let count = 0;
  for (const each of value) count += countOf(each, depth + 1);
  return count;
}

function tensorOf(version: Pick<VersionInfo, 'inputs' | 'model'>, name: string, value: unknown): Tensor {
  const spec = version.inputs.find((input) => input.name === name);
  if (spec === undefined || !isDatatype(spec.datatype)) throw bad(`unexpected inference input '${name}' for model '${version.model}'`);
  const count = countOf(value);
  const shape = shapeOf(spec.shape, count, Array.isArray(value));
  return {
    name,
    datatype: spec.datatype,
    shape,
    data: dataFromJson(name, spec.datatype, shape, count, Array.isArray(value) ? value.flat(MAX_DEPTH) : [value]),
  };
}

/** The last free dimension holds what there is, the others one. What does not fit is left as it is, for the check of the inputs to refuse. */
function shapeOf(spec: readonly number[], count: number, list: boolean): number[] {
  if (spec.length === 0) return list ? [count] : [];
  const free = spec.lastIndexOf(-1);
  let known = 1;
  for (const dimension of spec) if (dimension !== -1) known *= dimension;
  const rest = count / Math.max(1, known);
  if (free === -1) return known === count ? [...spec] : [count];
  if (!Number.isInteger(rest)) return [count];
  return spec.map((dimension, i) => (i === free ? rest : dimension === -1 ? 1 : dimension));
}

/** The reply: outputs by name, one value as itself, several as a flat list. */
export function generateJson({ model, version, id, outputs }: InferenceReply, showId: boolean): string {
  let reply = `{${showId ? `"id":${JSON.stringify(id)},` : ''}"model_name":${JSON.stringify(model)},"model_version":"${version}"`;
  for (const output of outputs) {
    const json = dataToJson(output);
    const data = typeof json === 'string' ? json : Buffer.concat(json).toString('latin1');
    reply += `,${JSON.stringify(output.name)}:${output.data.length === 1 ? data.slice(1, -1) : data}`;
  }
  return `${reply}}`;
}
