import { type BinnacleError, invalid } from '../../kernel/index.ts';
import { TENSOR_ARRAYS, type Tensor, textOfBytes, type VersionInfo } from '../../serving/index.ts';
import { dataFromBinary } from './binary-tensors.ts';
import { countOf, isDatatype } from './datatypes.ts';

const bad = (text: string): BinnacleError => invalid('invalid_request', text);

/** The raw form: no JSON, one input, a batch of one; one free dimension is computed from the size. */
export function rawInput(version: Pick<VersionInfo, 'inputs'>, body: Buffer, model: string): Tensor[] {
  const [spec] = version.inputs;
  if (spec === undefined || version.inputs.length !== 1)
    throw bad(`Raw request must only have 1 input (found 1) to be deduced but got ${version.inputs.length} inputs in '${model}' model configuration`);
  const { name, datatype } = spec;
  if (!isDatatype(datatype)) throw bad(`input '${name}' has the datatype ${datatype}, which has no raw form`);
  const free = spec.shape.filter((dimension) => dimension === -1).length;
  const shape = spec.shape.map((dimension, i) => (dimension === -1 && i === 0 && free > 1 ? 1 : dimension));
  if (datatype === 'BYTES') return [{ name, datatype, shape: shape.map((dimension) => (dimension === -1 ? 1 : dimension)), data: [textOfBytes(body)] }];
  const open = shape.filter((dimension) => dimension === -1).length;
  if (open > 1)
    throw bad(
      `The shape of Raw request must be deduced, but input '${name}' of '${model}' has ${open} free dimensions beside the batch; send Inference-Header-Content-Length and a JSON header`,
    );
  const known = shape.reduce((n, dimension) => (dimension === -1 ? n : n * dimension), 1);
  const rest = body.length / TENSOR_ARRAYS[datatype].BYTES_PER_ELEMENT / Math.max(1, known);
  if (open === 1 && !Number.isInteger(rest))
    throw bad(`Raw request: ${body.length} bytes are no whole number of rows of input '${name}' with the shape [${spec.shape}]`);
  const full = shape.map((dimension) => (dimension === -1 ? rest : dimension));
  return [{ name, datatype, shape: full, data: dataFromBinary(name, datatype, countOf(full), body, model) }];
}
