import { isUtf8 } from 'node:buffer';
import { type BinnacleError, invalid, isObject, shown, unsupported } from '../../kernel/index.ts';
import { parseRequestId, type Tensor, type VersionInfo } from '../../serving/index.ts';
import { dataFromBinary } from './binary-tensors.ts';
import { countOf, isDatatype } from './datatypes.ts';
import { dataFromJson, parseExact } from './json-tensors.ts';

/** An infer request, free of any transport. */
export interface InferenceRequest {
  id: string | undefined;
  inputs: Tensor[] | ((version: VersionInfo) => Tensor[]);
  /** Undefined: all. */
  outputs: { name: string; binary: boolean }[] | undefined;
  /** How outputs go back that are not named in `outputs`. */
  binaryDefault: boolean;
}

/** Far beyond any model's; nested data is walked as deep as its shape. */
const MAX_RANK = 64;

const bad = (text: string): BinnacleError => invalid('invalid_request', text);
type Json = Record<string, unknown>;

/** `headerBytes` is the JSON's size when binary tensors follow it; 0 means that the body is the data of the model's only input. */
export function parseInferenceRequest(body: Buffer, headerBytes: number | undefined): InferenceRequest {
  if (headerBytes === 0) return { id: undefined, inputs: (version) => rawInput(version, body), outputs: undefined, binaryDefault: true };
  if (headerBytes !== undefined && headerBytes > body.length)
    throw bad(`Inference-Header-Content-Length is ${headerBytes}, but the body has ${body.length} bytes`);
  const json = headerBytes === undefined ? body : body.subarray(0, headerBytes);
  if (!isUtf8(json)) throw bad('failed to parse the request JSON buffer: it is not UTF-8');
  const request = parseExact(json.toString('utf8'));
  if (!isObject(request)) throw bad('the request must be a JSON object');
  const parameters = parametersOf(request, 'the request');
  if (parameters['sequence_id'] !== undefined && parameters['sequence_id'] !== 0 && parameters['sequence_id'] !== '')
    throw unsupported('sequence_unsupported', 'sequences are not supported: every request stands for itself');
  const binaryDefault = flag(parameters['binary_data_output'], 'binary_data_output') ?? false;
  const outputs = parseOutputs(request['outputs'], binaryDefault);
  return {
    id: parseRequestId(request['id']),
    inputs: parseInputs(request['inputs'], headerBytes === undefined ? undefined : body.subarray(headerBytes)),
    outputs,
    binaryDefault,
  };
}

function parametersOf(of: Json, where: string): Json {
  const { parameters } = of;
  if (parameters === undefined || parameters === null) return {};
  if (!isObject(parameters)) throw bad(`'parameters' of ${where} must be an object`);
  return parameters;
}

function flag(value: unknown, name: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw bad(`the parameter '${name}' must be true or false`);
}

function parseInputs(list: unknown, binary: Buffer | undefined): Tensor[] {
  if (list === undefined) throw bad("Unable to parse 'inputs': Unable to find 'inputs' field in the request");
  if (!Array.isArray(list)) throw bad("Unable to parse 'inputs': it must be an array of tensors");
  let at = 0;
  const tensors = list.map((input: unknown, index): Tensor => {
    if (!isObject(input)) throw bad(`Unable to parse 'inputs': element ${index} must be an object`);
    const { name, shape, datatype, data } = input;
    if (typeof name !== 'string' || name === '') throw bad(`Unable to parse 'inputs': element ${index} has no 'name'`);
    if (datatype === 'BF16') throw unsupported('bf16_unsupported', `input '${name}': the runtime cannot exchange BF16; send FP32`);
    if (!isDatatype(datatype))
      throw bad(
        `input '${name}': ${datatype === undefined ? "there is no 'datatype'" : `${typeof datatype === 'string' ? `'${datatype}'` : shown(datatype)} is no datatype; known are BOOL, (U)INT8 to (U)INT64, FP16, FP32, FP64 and BYTES`}`,
      );
    if (!Array.isArray(shape)) throw bad(`input '${name}': 'shape' must be an array of whole numbers`);
    if (shape.length > MAX_RANK) throw bad(`input '${name}': the shape has ${shape.length} dimensions; at most ${MAX_RANK} are taken`);
    const count = countOf(shape);
    if (Number.isNaN(count)) throw bad(`input '${name}': ${shown(shape)} is not a shape (whole numbers, none negative, 2^31 elements at most)`);
    const parameters = parametersOf(input, `input '${name}'`);
    if (parameters['shared_memory_region'] !== undefined)
      throw unsupported('shared_memory_unsupported', `input '${name}': shared memory is not supported; send the data`);
    const size = parameters['binary_data_size'];
    if (size === undefined) {
      if (data === undefined) throw bad(`input '${name}' has neither 'data' nor 'binary_data_size'`);
      return { name, datatype, shape: shape as number[], data: dataFromJson(name, datatype, shape as number[], count, data) };
    }
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) throw bad(`input '${name}': 'binary_data_size' must be a whole number of bytes`);
    if (data !== undefined) throw bad(`input '${name}' has both 'data' and 'binary_data_size'`);
    if (binary === undefined) throw bad(`input '${name}' has 'binary_data_size', but the header Inference-Header-Content-Length is missing`);
    if (at + size > binary.length) throw bad(`unexpected size for input '${name}', expecting ${size} additional bytes, but ${binary.length - at} are left`);
    const bytes = binary.subarray(at, at + size);
    at += size;
    return { name, datatype, shape: shape as number[], data: dataFromBinary(name, datatype, count, bytes) };
  });
  if (binary !== undefined && at !== binary.length)
    throw bad(`unexpected additional input data: the inputs take ${at} bytes, but ${binary.length} follow the JSON`);
  return tensors;
}

function parseOutputs(list: unknown, binaryDefault: boolean): InferenceRequest['outputs'] {
  if (list === undefined || list === null) return undefined;
  if (!Array.isArray(list)) throw bad("Unable to parse 'outputs': it must be an array");
  return list.map((output: unknown, index) => {
    if (!isObject(output) || typeof output['name'] !== 'string') throw bad(`Unable to parse 'outputs': element ${index} has no 'name'`);
    const parameters = parametersOf(output, `output '${output['name']}'`);
    if (parameters['classification'] !== undefined && parameters['classification'] !== 0)
      throw unsupported('classification_unsupported', `output '${output['name']}': the classification extension is not supported; ask for the tensor`);
    if (parameters['shared_memory_region'] !== undefined)
      throw unsupported('shared_memory_unsupported', `output '${output['name']}': shared memory is not supported`);
    return { name: output['name'], binary: flag(parameters['binary_data'], 'binary_data') ?? binaryDefault };
  });
}

/** The raw form: no JSON, one input, a batch of one; one free dimension is computed from the size. */
function rawInput(version: VersionInfo, body: Buffer): Tensor[] {
  const [spec] = version.inputs;
  if (spec === undefined || version.inputs.length !== 1)
    throw bad(
      `Raw request must only have 1 input (found ${version.inputs.length}) to be deduced but got ${version.inputs.length} inputs in '${version.model}' model configuration`,
    );
  const { name, datatype } = spec;
  if (!isDatatype(datatype)) throw bad(`input '${name}' has the datatype ${datatype}, which has no raw form`);
  const free = spec.shape.filter((dimension) => dimension === -1).length;
  const shape = spec.shape.map((dimension, i) => (dimension === -1 && i === 0 && free > 1 ? 1 : dimension));
  if (datatype === 'BYTES') {
    if (!isUtf8(body)) throw bad(`input '${name}': the runtime keeps strings as UTF-8, and these bytes are not`);
    return [{ name, datatype, shape: shape.map((dimension) => (dimension === -1 ? 1 : dimension)), data: [body.toString('utf8')] }];
  }
  const open = shape.filter((dimension) => dimension === -1).length;
  if (open > 1)
    throw bad(
      `The shape of Raw request must be deduced, but input '${name}' of '${version.model}' has ${open} free dimensions beside the batch; send Inference-Header-Content-Length and a JSON header`,
    );
  const known = shape.reduce((n, dimension) => (dimension === -1 ? n : n * dimension), 1);
  const width = datatype === 'BOOL' || datatype.endsWith('INT8') ? 1 : datatype.endsWith('16') ? 2 : datatype.endsWith('32') ? 4 : 8;
  const elements = body.length / width;
  const rest = elements / Math.max(1, known);
  if (open === 1 && !Number.isInteger(rest))
    throw bad(`Raw request: ${body.length} bytes are no whole number of rows of input '${name}' with the shape [${spec.shape}]`);
  const full = shape.map((dimension) => (dimension === -1 ? rest : dimension));
  return [{ name, datatype, shape: full, data: dataFromBinary(name, datatype, countOf(full), body) }];
}
