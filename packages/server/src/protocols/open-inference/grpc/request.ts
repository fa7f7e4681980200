import { type BinnacleError, invalid, unsupported } from '../../../kernel/index.ts';
import { parseRequestId, type Tensor, textOfBytes } from '../../../serving/index.ts';
import { dataFromBinary } from '../binary-tensors.ts';
import { countOf, isDatatype } from '../datatypes.ts';
import { callOf } from '../call.ts';
import type { InferenceRequest } from '../types.ts';
import { dataFromContents } from './contents.ts';
import { valuesOf, type WireInput, type WireRequest } from './wire.ts';

/** Far beyond any model's. */
const MAX_RANK = 64;

const bad = (text: string): BinnacleError => invalid('invalid_request', text);

/** A model version as clients write it; empty: none is pinned. */
export function versionOf(text: string): number | undefined {
  if (text === '') return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw invalid('invalid_version', `failed to get model version from specified version string '${text.slice(0, 40)}', version should be an integral value > 0`);
}

/** A ModelInferRequest free of its transport. Tensors are views of the message where their address allows it. Throws `invalid` and `unsupported` with Triton's texts. */
export function inferenceRequestOf(request: WireRequest): InferenceRequest {
  return {
    id: parseRequestId(request.id),
    inputs: inputsOf(request),
    outputs: request.outputs.length === 0 ? undefined : request.outputs.map(({ name }) => ({ name, binary: true })),
    binaryDefault: true,
    call: callOf(valuesOf(request.parameters)),
  };
}

function inputsOf({ model_name: model, inputs, raw_input_contents: raw }: WireRequest): Tensor[] {
  let next = 0;
  const tensors = inputs.map((input) => {
    if (input.contents === null) {
      const bytes = raw[next++];
      if (bytes === undefined) throw bad(`unable to find data for input tensor '${input.name}' for model '${model}' in request.`);
      return tensorOf(model, input, bytes);
    }
    if (raw.length > 0) throw bad(`contents field must not be specified when using raw_input_contents for '${input.name}' for model '${model}'`);
    return tensorOf(model, input, undefined);
  });
  if (next < raw.length) throw bad(`unexpected additional input data: ${raw.length} raw_input_contents for ${next} inputs of model '${model}'`);
  return tensors;
}

function tensorOf(model: string, { name, datatype, shape: dims, contents }: WireInput, raw: Buffer | undefined): Tensor {
  if (name === '') throw bad(`an input for model '${model}' has no name`);
  if (datatype === 'BF16') throw unsupported('bf16_unsupported', `input '${name}': the runtime cannot exchange BF16; send FP32`);
  if (!isDatatype(datatype))
    throw bad(`invalid datatype for input ${name}: '${datatype.slice(0, 40)}' is none (BOOL, (U)INT8 to (U)INT64, FP16, FP32, FP64, BYTES)`);
  if (dims.length > MAX_RANK) throw bad(`input '${name}': the shape has ${dims.length} dimensions; at most ${MAX_RANK} are taken`);
  const shape: number[] = [];
  for (const dimension of dims) shape.push(dimension.toNumber());
  const count = countOf(shape);
  if (Number.isNaN(count)) throw bad(`input '${name}': [${shape}] is not a shape (whole numbers, none negative, 2^31 elements at most)`);
  const data =
    contents === null ? dataFromBinary(name, datatype, count, raw as Buffer, model) : dataFromContents(model, name, datatype, count, contents, stringsOf);
  return { name, datatype, shape, data };
}

const stringsOf = (list: Buffer[]): string[] => list.map(textOfBytes);
