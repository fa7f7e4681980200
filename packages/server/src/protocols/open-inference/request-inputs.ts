import { type BinnacleError, invalid, isObject, shown, unsupported } from '../../kernel/index.ts';
import type { Tensor } from '../../serving/index.ts';
import { dataFromBinary } from './binary-tensors.ts';
import { countOf, isDatatype } from './datatypes.ts';
import { parametersOf } from './fields.ts';
import { dataFromJson, noJson } from './json-tensors.ts';
import type { CutLists } from './large-data.ts';
import { type InputMemory, inputReader } from './shared-inputs.ts';
import { spanOf } from './shared-memory.ts';

/** Far beyond any model's; nested data is walked as deep as its shape. */
const MAX_RANK = 64;

const bad = (text: string): BinnacleError => invalid('invalid_request', text);
type Json = Record<string, unknown>;

/** Where the values of tensors are that do not stand in the JSON. */
export interface Aside {
  /** What follows the JSON, and how much of it has been taken. */
  bytes: Buffer | undefined;
  at: number;
  /** Large lists that were cut out of the JSON. */
  lists: CutLists | undefined;
}

/** The `inputs` of a request. The texts are Triton's, ours behind them. */
export function parseInputs(list: unknown, rest: Aside, model: string, memory: InputMemory): Tensor[] {
  if (list === undefined) throw bad("Unable to parse 'inputs': attempt to access non-existing object member 'inputs'");
  if (!Array.isArray(list)) throw bad("Unable to parse 'inputs': attempt to access JSON non-array as array");
  const tensors: Tensor[] = [];
  const names = new Set<string>();
  const read = inputReader(memory, model);
  for (let i = 0; i < list.length; i++) {
    const tensor = parseInput(list[i], i, rest, model, read);
    if (names.has(tensor.name)) throw bad(`input '${tensor.name}' already exists in request`);
    names.add(tensor.name);
    tensors.push(tensor);
  }
  if (rest.bytes !== undefined && rest.at !== rest.bytes.length)
    throw bad(`unexpected additional input data for model '${model}': the inputs take ${rest.at} bytes, but ${rest.bytes.length} follow the JSON`);
  return tensors;
}

/** A tensor's name, datatype and shape, whatever its data are. */
function describe(input: Json, index: number): { name: string; datatype: Tensor['datatype']; shape: number[]; count: number } {
  const { name, shape, datatype } = input;
  if (typeof name !== 'string' || name === '')
    throw bad(
      `Unable to parse 'name': attempt to access ${name === undefined ? "non-existing object member 'name'" : 'JSON non-string as string'} (element ${index} of 'inputs')`,
    );
  if (datatype === 'BF16')
    throw unsupported('bf16_unsupported', `${noJson(name, 'BF16').message}; the runtime cannot exchange BF16 in binary either: send FP32`);
  if (datatype === undefined) throw bad(`Unable to parse 'datatype': attempt to access non-existing object member 'datatype' (input '${name}')`);
  if (typeof datatype !== 'string') throw bad(`Unable to parse 'datatype': attempt to access JSON non-string as string (input '${name}')`);
  if (!isDatatype(datatype))
    throw bad(`invalid datatype for input ${name}: '${datatype}' is not known; known are BOOL, (U)INT8 to (U)INT64, FP16, FP32, FP64 and BYTES`);
  if (shape === undefined) throw bad(`Unable to parse 'shape': attempt to access non-existing object member 'shape' (input '${name}')`);
  if (!Array.isArray(shape)) throw bad(`Unable to parse 'shape': attempt to access JSON non-array as array (input '${name}')`);
  if (shape.length > MAX_RANK) throw bad(`input '${name}': the shape has ${shape.length} dimensions; at most ${MAX_RANK} are taken`);
  const count = countOf(shape);
  if (Number.isNaN(count))
    throw bad(
      `Unable to parse 'shape': attempt to access JSON non-unsigned-integer as unsigned-integer (input '${name}': ${shown(shape)} is not a shape; whole numbers, none negative, 2^31 elements at most)`,
    );
  return { name, datatype, shape: shape as number[], count };
}

const ONE_OF = "Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', 'shared_memory_region' in 'parameters'. But";

function parseInput(input: unknown, index: number, rest: Aside, model: string, read: ReturnType<typeof inputReader>): Tensor {
  if (!isObject(input)) throw bad(`${ONE_OF} no field is set (element ${index} of 'inputs' is no object)`);
  const { name, datatype, shape, count } = describe(input, index);
  const { data } = input;
  const parameters = input['parameters'] === undefined ? undefined : parametersOf(input, 'input');
  const size = parameters?.['binary_data_size'];
  const span = parameters === undefined ? undefined : spanOf(parameters);
  const given = (data === undefined ? 0 : 1) + (size === undefined ? 0 : 1) + (span === undefined ? 0 : 1);
  if (given !== 1) throw bad(`${ONE_OF} ${given === 0 ? 'no field is set' : 'more than one is set'} (input '${name}')`);
  if (span !== undefined) return { name, datatype, shape, data: dataFromBinary(name, datatype, count, read(span, { name, datatype, count }), model) };
  if (size === undefined)
    return { name, datatype, shape, data: rest.lists?.take(data, datatype, shape, count) ?? dataFromJson(name, datatype, shape, count, data) };
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0)
    throw bad(
      `Unable to parse 'binary_data_size': attempt to access JSON non-unsigned-integer as unsigned-integer (input '${name}': it must be a number of bytes)`,
    );
  if (rest.bytes === undefined) throw bad(`input '${name}' has 'binary_data_size', but the header Inference-Header-Content-Length is missing`);
  if (rest.at + size > rest.bytes.length)
    throw bad(`unexpected size for input '${name}', expecting ${size} additional bytes for model '${model}', but ${rest.bytes.length - rest.at} are left`);
  const bytes = rest.bytes.subarray(rest.at, rest.at + size);
  rest.at += size;
  return { name, datatype, shape, data: dataFromBinary(name, datatype, count, bytes, model) };
}
