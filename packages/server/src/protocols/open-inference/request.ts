import { isUtf8 } from 'node:buffer';
import { type BinnacleError, invalid, isObject, shown } from '../../kernel/index.ts';
import { callOf } from './call.ts';
import { idOf, parametersOf } from './fields.ts';
import { parseExact } from './json-tensors.ts';
import { type CutLists, cutLargeData } from './large-data.ts';
import { rawInput } from './raw-input.ts';
import { parseInputs } from './request-inputs.ts';
import type { InputMemory } from './shared-inputs.ts';
import { spanOf } from './shared-memory.ts';
import type { InferenceRequest, RequestedOutput } from './types.ts';

const bad = (text: string): BinnacleError => invalid('invalid_request', text);

/**
 * An infer request of the REST form. `headerBytes` is the JSON's size when binary tensors follow it; 0 means that the body is the data of the
 * model's only input. `model` is named in errors; inputs in shared memory are read from `memory`.
 */
export function parseInferenceRequest(body: Buffer, headerBytes: number | undefined, model: string, memory: InputMemory): InferenceRequest {
  if (headerBytes === 0)
    return { id: undefined, inputs: (version) => rawInput(version, body, model), outputs: undefined, binaryDefault: true, call: undefined };
  if (headerBytes !== undefined && headerBytes > body.length) throw bad(`inference header size should be in range (0, ${body.length}), got: ${headerBytes}`);
  const json = headerBytes === undefined ? body : body.subarray(0, headerBytes);
  if (!isUtf8(json)) throw bad('failed to parse the request JSON buffer: it is not UTF-8');
  const read = (request: unknown, lists?: CutLists): InferenceRequest => {
    if (!isObject(request)) throw bad("Unable to parse 'inputs': attempt to access non-existing object member 'inputs' (the request must be a JSON object)");
    const parameters = parametersOf(request, 'request');
    const binaryDefault = flag(parameters['binary_data_output'], 'binary_data_output') ?? false;
    return {
      id: idOf(request['id']),
      inputs: parseInputs(request['inputs'], { bytes: headerBytes === undefined ? undefined : body.subarray(headerBytes), at: 0, lists }, model, memory),
      outputs: parseOutputs(request['outputs'], binaryDefault),
      binaryDefault,
      call: request['parameters'] === undefined ? undefined : callOf(parameters),
    };
  };
  return readLarge(json, read) ?? read(parseExact(json.toString('utf8')));
}

/** Undefined for what has no large lists, and for whatever is odd: that is read as a whole, which says what is wrong, and where. */
function readLarge(json: Buffer, read: (request: unknown, lists: CutLists) => InferenceRequest): InferenceRequest | undefined {
  const large = cutLargeData(json);
  if (large === undefined) return undefined;
  try {
    const request = read(parseExact(large.text), large.lists);
    return large.lists.allUsed ? request : undefined;
  } catch {
    return undefined;
  }
}

function flag(value: unknown, name: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw bad(`Unable to parse '${name}': attempt to access JSON non-boolean as boolean (the parameter must be true or false)`);
}

function parseOutputs(list: unknown, binaryDefault: boolean): RequestedOutput[] | undefined {
  if (list === undefined || list === null) return undefined;
  if (!Array.isArray(list)) throw bad("Unable to parse 'outputs': attempt to access JSON non-array as array");
  return list.map((output: unknown, index) => {
    if (!isObject(output) || typeof output['name'] !== 'string')
      throw bad(`Unable to parse 'name': attempt to access non-existing object member 'name' (element ${index} of 'outputs')`);
    const parameters = parametersOf(output, 'output');
    const memory = spanOf(parameters);
    const binary = flag(parameters['binary_data'], 'binary_data');
    if (memory !== undefined && binary === true) throw bad(`'${output['name']}': an output goes to shared memory or comes as binary data, not both`);
    return { name: output['name'], binary: memory === undefined && (binary ?? binaryDefault), classification: classes(parameters['classification']), memory };
  });
}

function classes(value: unknown): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 0)) return value as number | undefined;
  throw bad(`Unable to set 'classification': attempt to access JSON non-unsigned-integer as unsigned-integer (it is ${shown(value)})`);
}
