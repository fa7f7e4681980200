import type { TensorSpec } from '@binnacle/contract';
import type { BinnacleError } from '../../kernel/index.ts';
import { configTypeOf } from './datatypes.ts';
import { badConfig, type ConfigInput, type ConfigTensor, type ModelConfig } from './model-config.ts';

export interface GraphTensors {
  inputs: TensorSpec[];
  outputs: TensorSpec[];
}

/** Rows that a request may have where no configuration sets a limit and the graph takes any number. */
export const ROWS_UNSAID = 1024;

/** Inputs and outputs of the graph that are the server's business, not the caller's: what sequence batching feeds and keeps. */
export function innerTensors({ sequence_batching: sequence }: ModelConfig): { inputs: Set<string>; outputs: Set<string> } {
  const controls = (sequence?.control_input ?? []).map(({ name }) => name ?? '');
  const states = sequence?.state ?? [];
  return {
    inputs: new Set([...controls, ...states.map(({ input_name: name }) => name ?? '')]),
    outputs: new Set(states.map(({ output_name: name }) => name ?? '')),
  };
}

/**
 * The configuration with everything that the graph tells and it left out, as Triton's ONNX backend completes it: where inputs or outputs are missing, they are the
 * graph's, and a graph whose every first dimension is free is taken to batch. Throws `invalid` where the two contradict each other.
 */
export function completeConfig(name: string, config: ModelConfig, graph: GraphTensors): ModelConfig {
  const out: ModelConfig = { ...config, name, backend: 'onnxruntime', platform: 'onnxruntime_onnx' };
  out.default_model_filename ??= 'model.onnx';
  const inner = innerTensors(config);
  const open = { inputs: graph.inputs.filter((t) => !inner.inputs.has(t.name)), outputs: graph.outputs.filter((t) => !inner.outputs.has(t.name)) };
  const isComplete = (config.input?.length ?? 0) > 0 && (config.output?.length ?? 0) > 0;
  if (!isComplete) {
    const batches = [...graph.inputs, ...graph.outputs].every(({ shape }) => shape[0] === -1);
    if (!batches && (config.max_batch_size ?? 0) > 0)
      throw badConfig(`autofill failed for model '${name}': model does not support batching while non-zero max_batch_size is specified`);
    if (batches && (config.max_batch_size ?? 0) === 0 && !mentionsBatch(config, graph)) out.max_batch_size = ROWS_UNSAID;
    if ((out.max_batch_size ?? 0) > 1 && config.sequence_batching === undefined) out.dynamic_batching ??= {};
  }
  const rows = (out.max_batch_size ?? 0) > 0;
  if ((config.input?.length ?? 0) === 0) out.input = open.inputs.map((tensor) => fromGraph(tensor, rows));
  if ((config.output?.length ?? 0) === 0) out.output = open.outputs.map((tensor) => fromGraph(tensor, rows));
  out.max_batch_size ??= 0;
  return out;
}

/** Dims as long as the graph's shape name the first dimension too: then the writer meant it to be no batch. */
const mentionsBatch = ({ input = [], output = [] }: ModelConfig, graph: GraphTensors): boolean =>
  [...input, ...output].some(({ name, dims }) => [...graph.inputs, ...graph.outputs].find((tensor) => tensor.name === name)?.shape.length === dims?.length);

function fromGraph({ name, datatype, shape }: TensorSpec, batched: boolean): ConfigTensor {
  const dims = batched ? shape.slice(1) : shape;
  // Dims may not be empty: a value a row is written as one that is reshaped away.
  return { name, data_type: configTypeOf(datatype), dims: dims.length === 0 ? [1] : dims, ...(dims.length === 0 && batched ? { reshape: { shape: [] } } : {}) };
}

/** Throws `invalid` (the texts of Triton's ONNX backend) unless a version's graph has what the completed configuration says. */
export function checkAgainstGraph(config: ModelConfig, graph: GraphTensors): void {
  const name = config.name ?? '';
  const inner = innerTensors(config);
  const inputs = config.input ?? [];
  const expected = inputs.length + inner.inputs.size;
  if (graph.inputs.length !== expected)
    throw badConfig(`unable to load model '${name}', configuration expects ${expected} inputs, model provides ${graph.inputs.length}`);
  for (const side of ['input', 'output'] as const) {
    const tensors = side === 'input' ? graph.inputs : graph.outputs;
    const seen = new Set<string>();
    for (const given of config[side] ?? []) {
      const found = tensors.find((tensor) => tensor.name === given.name);
      if (found === undefined) throw unknownTensor(name, side, given.name ?? '', tensors);
      if (seen.has(found.name)) throw badConfig(`model '${name}' names the ${side} '${found.name}' twice`);
      seen.add(found.name);
      checkTensor(name, side, given, found, config.max_batch_size ?? 0);
    }
    for (const each of inner[`${side}s`]) if (!tensors.some((tensor) => tensor.name === each)) throw unknownTensor(name, side, each, tensors);
  }
}

const unknownTensor = (model: string, side: string, tensor: string, known: readonly TensorSpec[]): BinnacleError =>
  badConfig(`unexpected inference ${side} '${tensor}', allowed ${side}s are: ${known.map((each) => each.name).join(', ')} (model '${model}')`);

function checkTensor(model: string, side: string, given: ConfigInput, { name, datatype, shape }: TensorSpec, maxBatch: number): void {
  const type = configTypeOf(datatype);
  if (given.data_type !== type)
    throw badConfig(
      `unable to load model '${model}', configuration expects datatype ${given.data_type ?? 'TYPE_INVALID'} for ${side} '${name}', model provides ${type}`,
    );
  if ((given.dims?.length ?? 0) === 0) throw badConfig(`model ${side} '${name}' must specify 'dims' for ${model}`);
  if (given.dims?.some((dim) => dim === 0 || dim < -1) === true)
    throw badConfig(`model ${side} '${name}' dimension must be integer >= 1, or -1 to indicate a variable-size dimension for ${model}`);
  checkReshape(model, side, given);
  if (given.optional === true && maxBatch > 0)
    throw badConfig(`unable to load model '${model}', optional input '${name}' is not supported for models that support batching`);
  if (given.allow_ragged_batch === true) throw badConfig(`unable to load model '${model}', ragged input '${name}' is not supported`);
  const dims = given.reshape?.shape ?? (given.reshape === undefined ? (given.dims ?? []) : []);
  if (shape.length === 0) {
    // The graph does not tell its rank, or it is a scalar.
    return;
  }
  if (maxBatch > 0 && shape[0] !== -1)
    throw badConfig(
      `model '${model}', tensor '${name}': for the model to support batching the shape should have at least 1 dimension and the first dimension must be -1; but shape expected by the model is [${shape}]`,
    );
  const full = maxBatch > 0 ? [-1, ...dims] : dims;
  if (shape.length === full.length && shape.every((dim, i) => dim === -1 || dim === full[i] || full[i] === -1)) return;
  throw badConfig(
    `model '${model}', tensor '${name}': the model expects ${shape.length} dimensions (shape [${shape}]) but the model configuration specifies ${full.length} dimensions (${
      maxBatch > 0 ? 'an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making complete shape' : 'shape'
    } [${full}])`,
  );
}

function checkReshape(model: string, side: string, { name, dims = [], reshape }: ConfigInput): void {
  if (reshape === undefined) return;
  const shape = reshape.shape ?? [];
  const free = (list: readonly number[]): number => list.filter((dim) => dim === -1).length;
  const size = (list: readonly number[]): number => list.reduce((product, dim) => product * (dim === -1 ? 1 : dim), 1);
  if (free(shape) !== free(dims) || size(shape) !== size(dims)) throw badConfig(`model ${side} '${name}' has different size for dims and reshape for ${model}`);
}
