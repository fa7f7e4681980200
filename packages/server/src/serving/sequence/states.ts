import type { TensorSpec } from '@binnacle/contract';
import { type BinnacleError, invalid } from '../../kernel/index.ts';
import { datatypeOf } from '../repository/datatypes.ts';
import { insideModel } from '../repository/layout.ts';
import type { ConfigState, ModelConfig } from '../repository/model-config.ts';
import { type TensorFacts, tensorFromFile, zeroTensor } from '../repository/tensor-files.ts';
import type { Tensor } from '../tensor.ts';

/** What is carried from a request of a sequence to the next: an output that becomes an input. */
export interface State {
  input: string;
  output: string;
  /** Before the first request; another copy each time. */
  initial(): Tensor;
}

const bad = (text: string): BinnacleError => invalid('invalid_model_config', text);

/** Throws `invalid` for states that contradict themselves or the graph, or whose data cannot be read. */
export function statesOf(config: ModelConfig, dir: string, graph: { inputs: readonly TensorSpec[]; outputs: readonly TensorSpec[] }): Promise<State[]> {
  const states = config.sequence_batching?.state ?? [];
  const seen = new Set<string>();
  return Promise.all(
    states.map((state) => {
      const { input_name: input = '', output_name: output = '' } = state;
      if (seen.has(input)) throw bad(`State input name '${input}' specified more than once.`);
      seen.add(input);
      const datatype = datatypeOf(state.data_type);
      for (const [name, side] of [
        [input, graph.inputs],
        [output, graph.outputs],
      ] as const) {
        const spec = side.find((each) => each.name === name);
        if (spec === undefined) throw bad(`the state tensor '${name}' of model '${config.name}' is not in its graph`);
        if (spec.datatype !== datatype)
          throw bad(
            `unable to load model '${config.name}', configuration expects datatype ${state.data_type ?? 'TYPE_INVALID'} for the state '${name}', model provides ${spec.datatype}`,
          );
      }
      return stateOf(state, { name: input, output }, config, dir);
    }),
  );
}

async function stateOf(state: ConfigState, { name, output }: { name: string; output: string }, config: ModelConfig, dir: string): Promise<State> {
  const [initial, ...more] = state.initial_state ?? [];
  const dims = state.dims ?? [];
  if (more.length > 0)
    throw bad(`initial_state field for state input '${name}' must contain exactly one or zero element. Found '${more.length + 1}' elements.`);
  const datatype = datatypeOf(state.data_type) ?? 'FP32';
  // A batch of one.
  const batch = (config.max_batch_size ?? 0) > 0 ? [1] : [];
  if (initial === undefined) {
    const facts: TensorFacts = { name, datatype, shape: [...batch, ...dims.map((dim) => (dim === -1 ? 1 : dim))] };
    return { input: name, output, initial: () => zeroTensor(facts) };
  }
  if ((initial.name ?? '') === '') throw bad(`Field 'name' must be set when using initial_state for state input '${name}'.`);
  if (initial.data_type !== state.data_type) throw bad(`The data type used for 'initial_state' field of state '${name}' does not match the state data type.`);
  const own = initial.dims ?? [];
  if (own.length !== dims.length)
    throw bad(
      `Number of dimensions in 'initial_state' doesn't match the size of 'state' dimensions for state input '${name}'. ${own.length} != ${dims.length}`,
    );
  if (own.includes(-1)) throw bad(`'initial_state' field for state input name '${name}' contains variable dimensions.`);
  const odd = own.findIndex((dim, i) => dims[i] !== -1 && dims[i] !== dim);
  if (odd >= 0) throw bad(`'initial_state' dim for input name '${name}' doesn't match 'state' dim description. ${own[odd]} != ${dims[odd]}`);
  const facts: TensorFacts = { name, datatype, shape: [...batch, ...own] };
  if (initial.data_file !== undefined) {
    const read = await tensorFromFile(facts, insideModel(dir, `initial_state/${initial.data_file}`, 'data_file of an initial_state'));
    return { input: name, output, initial: () => ({ ...read, data: read.data.slice() }) };
  }
  if (initial.zero_data !== true) throw bad(`initial_state setting expects state'${name}' to have state_data set`);
  return { input: name, output, initial: () => zeroTensor(facts) };
}
