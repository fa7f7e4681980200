import { type BinnacleError, invalid, unsupported } from '../../../kernel/index.ts';
import { type Datatype, parseRequestId, type Tensor, type TensorData } from '../../../serving/index.ts';
import { dataFromBinary } from '../binary-tensors.ts';
import { countOf, isDatatype } from '../datatypes.ts';
import { callOf } from '../call.ts';
import { type InputMemory, inputReader } from '../shared-inputs.ts';
import { spanOf } from '../shared-memory.ts';
import type { InferenceRequest, RequestedOutput } from '../types.ts';
import { dataFromContents } from './contents.ts';
import { valuesOf, type WireInput, type WireParameter, type WireParameters, type WireRequest } from './wire.ts';

/** Far beyond any model's. */
const MAX_RANK = 64;

const bad = (text: string): BinnacleError => invalid('invalid_request', text);

/** A model version as clients write it; empty: none is pinned. */
export function versionOf(text: string): number | undefined {
  if (text === '') return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw invalid('invalid_version', `failed to get model version from specified version string '${text.slice(0, 40)}', version should be an integral value > 0`);
}

/**
 * A ModelInferRequest free of its transport. Tensors are views of the message where their address allows it, or read from `memory`. Throws
 * `invalid` and `unsupported` with Triton's texts.
 */
export function inferenceRequestOf(request: WireRequest, memory: InputMemory): InferenceRequest {
  return {
    id: parseRequestId(request.id),
    inputs: inputsOf(request, memory),
    outputs: request.outputs.length === 0 ? undefined : request.outputs.map(outputOf),
    binaryDefault: true,
    call: callOf(parametersOf(request.parameters)),
  };
}

/** What the protocol's own parameters may be; what is missing here is a model's and may be anything. */
const KINDS: Record<string, readonly WireParameter['parameter_choice'][]> = {
  sequence_id: ['int64_param', 'uint64_param', 'string_param'],
  sequence_start: ['bool_param'],
  sequence_end: ['bool_param'],
  priority: ['int64_param', 'uint64_param'],
  timeout: ['int64_param', 'uint64_param'],
  triton_enable_empty_final_response: ['bool_param'],
};

function parametersOf(parameters: WireParameters): ReturnType<typeof valuesOf> {
  const values = valuesOf(parameters);
  for (const name in values) {
    const kinds = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    if (kinds === undefined && !name.startsWith('triton_')) continue;
    if (kinds === undefined)
      throw bad(
        `parameter keys starting with 'triton_' are reserved for Triton usage. Only the following keys starting with 'triton_' are allowed: triton_enable_empty_final_response`,
      );
    if (!kinds.includes(parameters[name]?.parameter_choice))
      throw bad(`invalid value type for '${name}' parameter, expected ${kinds.filter((kind) => kinds.length < 3 || kind !== 'uint64_param').join(' or ')}.`);
    const value = values[name];
    if ((name === 'priority' || name === 'timeout') && typeof value !== 'string' && (value as number) < 0)
      throw bad(`invalid value for '${name}', expected value >= 0.`);
  }
  return values;
}

function inputsOf({ model_name: model, inputs, raw_input_contents: raw }: WireRequest, memory: InputMemory): Tensor[] {
  let next = 0;
  const tensors: Tensor[] = [];
  const names = new Set<string>();
  const read = inputReader(memory, model);
  for (const input of inputs) {
    if (names.has(input.name)) throw bad(`input '${input.name}' already exists in request`);
    names.add(input.name);
    const { name, datatype, shape, count } = describe(model, input);
    const span = spanOf(valuesOf(input.parameters));
    let data: TensorData;
    if (input.contents !== null) {
      if (span !== undefined) throw bad(`unexpected 'content' provided when using shared memory for input tensor '${name}' for model '${model}'`);
      if (raw.length > 0) throw bad(`contents field must not be specified when using raw_input_contents for '${name}' for model '${model}'`);
      data = dataFromContents(model, name, datatype, count, input.contents);
    } else {
      const bytes = span === undefined ? raw[next++] : read(span, { name, datatype, count });
      if (bytes === undefined) throw bad(`unable to find data for input tensor '${name}' for model '${model}' in request.`);
      data = dataFromBinary(name, datatype, count, bytes, model);
    }
    tensors.push({ name, datatype, shape, data });
  }
  if (next < raw.length) throw bad(`unexpected additional input data: ${raw.length} raw_input_contents for ${next} inputs of model '${model}'`);
  return tensors;
}

/** A tensor's name, datatype and shape, whatever its data are. */
function describe(model: string, { name, datatype, shape: dims }: WireInput): { name: string; datatype: Datatype; shape: number[]; count: number } {
  if (name === '') throw bad(`an input for model '${model}' has no name`);
  if (datatype === 'BF16') throw unsupported('bf16_unsupported', `input '${name}': the runtime cannot exchange BF16; send FP32`);
  if (!isDatatype(datatype))
    throw bad(`invalid datatype for input ${name}: '${datatype.slice(0, 40)}' is not known; known are BOOL, (U)INT8 to (U)INT64, FP16, FP32, FP64 and BYTES`);
  if (dims.length > MAX_RANK) throw bad(`input '${name}': the shape has ${dims.length} dimensions; at most ${MAX_RANK} are taken`);
  const shape: number[] = [];
  for (const dimension of dims) shape.push(dimension.toNumber());
  const count = countOf(shape);
  if (Number.isNaN(count)) throw bad(`input '${name}': [${shape}] is not a shape (whole numbers, none negative, 2^31 elements at most)`);
  return { name, datatype, shape, count };
}

function outputOf({ name, parameters }: WireRequest['outputs'][number]): RequestedOutput {
  const values = valuesOf(parameters);
  const memory = spanOf(values);
  const { classification } = values;
  if (classification === undefined) return { name, binary: true, memory };
  if (memory !== undefined) throw bad(`output '${name}' can't set both 'shared_memory_region' and 'classification'`);
  if (typeof classification !== 'number' || !Number.isInteger(classification) || classification < 0)
    throw bad(`invalid value type for 'classification' parameter of output '${name}', expected int64_param of 0 or more`);
  return { name, binary: true, classification };
}
