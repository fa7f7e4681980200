import type { TensorSpec } from '@binnacle/contract';
import { invalid } from '../../kernel/index.ts';
import type { LoadedModel, RunCall } from '../model-runtime.port.ts';
import type { ModelConfig } from '../repository/model-config.ts';
import type { Tensor } from '../tensor.ts';
import { WrappedModel } from '../wrapped-model.ts';
import { type Control, controlsOf } from './controls.ts';
import { type Sequence, Sequences } from './sequences.ts';
import { type State, statesOf } from './states.ts';

/** Triton's max_sequence_idle_microseconds where none is given. */
const IDLE_MICROS = 1_000_000;
const CANDIDATES = 1;

/**
 * A graph that knows sequences of requests (Triton's sequence batching): its controls are fed and its states carried from a request to the next, so that the caller
 * sees neither. Each request runs by itself, those of different sequences beside each other as far as the graph allows.
 */
export class SequenceModel extends WrappedModel {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  readonly batchable: boolean;
  readonly #model: string;
  readonly #controls: Control[];
  readonly #states: State[];
  readonly #sequences: Sequences;
  readonly #order: Map<string, number>;
  #runs = 0;
  readonly #places: (() => void)[] = [];

  private constructor(inner: LoadedModel, config: ModelConfig, controls: Control[], states: State[]) {
    super(inner);
    const { max_sequence_idle_microseconds: idle = 0, oldest } = config.sequence_batching ?? {};
    const inside = new Set([...controls.map(({ name }) => name), ...states.map(({ input }) => input)]);
    const kept = new Set(states.map(({ output }) => output));
    const shown = new Set((config.output ?? []).map(({ name }) => name));
    this.#model = config.name ?? '';
    this.#controls = controls;
    this.#states = states;
    this.#order = new Map(inner.inputs.map(({ name }, i) => [name, i]));
    this.inputs = inner.inputs.filter(({ name }) => !inside.has(name));
    this.outputs = inner.outputs.filter(({ name }) => !kept.has(name) || shown.has(name));
    this.batchable = [...this.inputs, ...this.outputs].every(({ shape }) => shape[0] === -1);
    const instances = Math.max(
      1,
      (config.instance_group ?? []).reduce((sum, group) => sum + (group.passive === true ? 0 : Math.max(1, group.count ?? 1)), 0),
    );
    const each = oldest === undefined ? Math.max(1, config.max_batch_size ?? 0) : (oldest.max_candidate_sequences ?? 0) || CANDIDATES;
    this.#sequences = new Sequences({ model: this.#model, slots: each * instances, idleMs: (idle === 0 ? IDLE_MICROS : idle) / 1000 });
  }

  /** Throws `invalid` for controls and states that do not fit the graph. */
  static async open(inner: LoadedModel, config: ModelConfig, dir: string): Promise<SequenceModel> {
    const { name = '', sequence_batching: sequence = {} } = config;
    if (sequence.iterative_sequence === true) throw invalid('invalid_model_config', `model '${name}': iterative sequences are not supported`);
    return new SequenceModel(inner, config, controlsOf(name, sequence, inner.inputs), await statesOf(config, dir, inner));
  }

  /** What has to wait waits here, in the order of its sequence. */
  override get slots(): number {
    return Number.POSITIVE_INFINITY;
  }
  override get endsOnAbort(): boolean {
    return true;
  }

  override check(inputs: readonly Tensor[]): void {
    if (this.batchable && (inputs[0]?.shape[0] ?? 1) > 1)
      throw invalid('sequence_batch', `inference request to model '${this.#model}' must specify batch-size 1 due to requirements of sequence batcher`);
    super.check(inputs);
  }

  execute(inputs: Tensor[], outputs: string[], call?: RunCall): Promise<Tensor[]> {
    return this.#sequences.submit(call, (sequence) => this.#run(sequence, inputs, outputs, call as RunCall));
  }

  async #run(sequence: Sequence, inputs: readonly Tensor[], outputs: readonly string[], call: RunCall): Promise<Tensor[]> {
    const of = call.sequence as NonNullable<RunCall['sequence']>;
    // One that starts again before it ended begins with nothing.
    if (of.start) sequence.state = undefined;
    const all = Array.from<Tensor>({ length: this.#order.size });
    const put = (tensor: Tensor): void => {
      all[this.#order.get(tensor.name) as number] = tensor;
    };
    for (const input of inputs) put(input);
    for (const control of this.#controls) put(control.tensor(of));
    for (const state of this.#states) put(sequence.state?.get(state.input) ?? state.initial());
    const names = [...new Set([...outputs, ...this.#states.map(({ output }) => output)])];
    await this.#place();
    let results: Tensor[];
    try {
      results = await this.inner.execute(all, names, call);
    } finally {
      this.#runs--;
      this.#places.shift()?.();
    }
    const byName = new Map(results.map((tensor) => [tensor.name, tensor]));
    if (this.#states.length > 0) sequence.state = new Map(this.#states.map((state) => [state.input, this.#kept(state, byName, outputs)]));
    return outputs.map((name) => byName.get(name) as Tensor);
  }

  /** An output that the caller gets too may be freed once the reply is sent: of that the sequence keeps a copy. */
  #kept({ input, output }: State, results: ReadonlyMap<string, Tensor>, asked: readonly string[]): Tensor {
    const tensor = results.get(output) as Tensor;
    return { ...tensor, name: input, data: asked.includes(output) ? tensor.data.slice() : tensor.data };
  }

  /** The graph may have fewer places than there are sequences. */
  async #place(): Promise<void> {
    while (this.#runs >= this.inner.slots) await new Promise<void>((resolve) => this.#places.push(resolve));
    this.#runs++;
  }

  override close(): Promise<void> {
    this.#sequences.close();
    return super.close();
  }
}
