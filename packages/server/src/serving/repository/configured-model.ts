import type { TensorSpec } from '@binnacle/contract';
import { invalid } from '../../kernel/index.ts';
import type { LoadedModel, RunCall, RunMarks } from '../model-runtime.port.ts';
import type { Tensor } from '../tensor.ts';
import { WrappedModel } from '../wrapped-model.ts';
import { datatypeOf } from './datatypes.ts';
import type { ConfigTensor, ModelConfig } from './model-config.ts';
import { reshaped } from './reshape.ts';

interface Mapping {
  /** Place among the graph's tensors. */
  index: number;
  name: string;
  dims: number[];
  /** What the graph wants instead; undefined: the same. */
  graphDims: number[] | undefined;
}

/** A graph as its configuration shows it: its tensors' order and shapes, and how many rows a request may have. Everything else is the graph's. */
export class ConfiguredModel extends WrappedModel {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  readonly batchable: boolean;
  readonly #model: string;
  readonly #maxRows: number;
  readonly #inputs: Mapping[];
  readonly #outputs: Map<string, Mapping>;
  /** Whether the graph's tensors are the configuration's, in the same order. */
  readonly #plain: boolean;

  constructor(inner: LoadedModel, config: ModelConfig) {
    super(inner);
    this.#model = config.name ?? '';
    this.#maxRows = config.max_batch_size ?? 0;
    this.batchable = this.#maxRows > 0 && inner.batchable;
    const mapping = (given: ConfigTensor, specs: readonly TensorSpec[]): Mapping => ({
      index: specs.findIndex((spec) => spec.name === given.name),
      name: given.name ?? '',
      dims: given.dims ?? [],
      graphDims: given.reshape === undefined ? scalarDims(specs, given, this.#maxRows) : (given.reshape.shape ?? []),
    });
    this.#inputs = (config.input ?? []).map((given) => mapping(given, inner.inputs));
    this.#outputs = new Map((config.output ?? []).map((given) => [given.name ?? '', mapping(given, inner.outputs)]));
    this.inputs = (config.input ?? []).map((given) => this.#spec(given));
    this.outputs = (config.output ?? []).map((given) => this.#spec(given));
    this.#plain =
      this.#inputs.every(({ index, graphDims }, i) => index === i && graphDims === undefined) &&
      [...this.#outputs.values()].every(({ graphDims }) => graphDims === undefined);
  }

  #spec({ name = '', data_type: type, dims = [] }: ConfigTensor): TensorSpec {
    return { name, datatype: datatypeOf(type) ?? 'FP32', shape: this.#maxRows > 0 ? [-1, ...dims] : [...dims] };
  }

  override check(inputs: readonly Tensor[]): void {
    if (this.#maxRows > 0) {
      const rows = inputs[0]?.shape[0] ?? 1;
      if (rows > this.#maxRows) throw invalid('batch_too_large', `inference request batch-size must be <= ${this.#maxRows} for '${this.#model}'`);
    }
    super.check(inputs);
  }

  execute(inputs: Tensor[], outputs: string[], call?: RunCall, marks?: RunMarks): Tensor[] | Promise<Tensor[]> {
    if (this.#plain) return this.inner.execute(inputs, outputs, call, marks);
    const batched = this.#maxRows > 0;
    const given = Array.from<Tensor>({ length: inputs.length });
    for (const [i, { index, dims, graphDims }] of this.#inputs.entries()) {
      const tensor = inputs[i] as Tensor;
      given[index] = graphDims === undefined ? tensor : reshaped(tensor, dims, graphDims, batched);
    }
    const result = this.inner.execute(given, outputs, call, marks);
    return result instanceof Promise ? result.then((tensors) => this.#shown(tensors)) : this.#shown(result);
  }

  #shown(tensors: Tensor[]): Tensor[] {
    return tensors.map((tensor) => {
      const { dims, graphDims } = this.#outputs.get(tensor.name) ?? { dims: [], graphDims: undefined };
      return graphDims === undefined ? tensor : reshaped(tensor, graphDims, dims, this.#maxRows > 0);
    });
  }
}

/** Dims cannot say that a tensor is a scalar: [1] stands for it. */
function scalarDims(specs: readonly TensorSpec[], { name, dims = [] }: ConfigTensor, maxRows: number): number[] | undefined {
  const shape = specs.find((spec) => spec.name === name)?.shape;
  return maxRows === 0 && shape?.length === 0 && dims.length > 0 && dims.every((dim) => dim === 1) ? [] : undefined;
}
