import type { TensorSpec } from '@binnacle/contract';
import { BinnacleError, newRequestId, unavailable } from '../../kernel/index.ts';
import type { LoadedModel, RunCall } from '../model-runtime.port.ts';
import { copyOf, type Tensor } from '../tensor.ts';
import type { InferReply, InferRequest } from '../types.ts';
import { type EnsemblePlan, type EnsembleSpec, type PlannedStep, stepsFor } from './plan.ts';

export interface EnsembleModelDeps {
  infer(request: InferRequest): Promise<InferReply>;
  /** Why a step's model does not answer now; undefined when it does. */
  problemOf(step: PlannedStep): string | undefined;
}

/** Steps over other endpoints: each is a request of its own there, with that endpoint's queue, limits, traffic and statistics. */
export class EnsembleModel implements LoadedModel {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  readonly tier = 'ensemble';
  /** What it takes is its steps' time, and they merge requests themselves. */
  readonly runMicros = Number.NaN;
  readonly rowMicros = Number.NaN;
  readonly batchable: boolean;
  readonly slots = Number.POSITIVE_INFINITY;
  readonly endsOnAbort = true;
  readonly usesParameters = true;
  readonly #name: string;
  readonly #plan: EnsemblePlan;
  readonly #deps: EnsembleModelDeps;
  readonly #onClose: () => void;

  constructor(name: string, spec: EnsembleSpec, plan: EnsemblePlan, deps: EnsembleModelDeps, onClose: () => void) {
    this.inputs = spec.inputs;
    this.outputs = spec.outputs;
    this.batchable = [...spec.inputs, ...spec.outputs].every(({ shape }) => shape[0] === -1);
    this.#name = name;
    this.#plan = plan;
    this.#deps = deps;
    this.#onClose = onClose;
  }

  get problem(): string | undefined {
    for (const step of this.#plan.steps) {
      const why = this.#deps.problemOf(step);
      if (why !== undefined) return `in ensemble '${this.#name}', ${label(step)}: ${why}`;
    }
    return undefined;
  }

  execute(inputs: Tensor[], outputs: string[], call?: RunCall): Promise<Tensor[]> {
    return new EnsembleRun(this.#name, this.#deps, stepsFor(this.#plan, outputs), outputs, call).run(inputs);
  }

  async close(): Promise<void> {
    this.#onClose();
  }
}

/** One request on its way through the steps: what can run runs, and a tensor is let go of with the last step that takes it. */
class EnsembleRun {
  readonly #name: string;
  readonly #deps: EnsembleModelDeps;
  readonly #outputs: readonly string[];
  readonly #call: RunCall | undefined;
  readonly #started = performance.now();
  readonly #abort = new AbortController();
  readonly #tensors = new Map<string, Tensor>();
  /** Steps that still take a tensor; an output of the ensemble is taken by the reply too. */
  readonly #takers = new Map<string, number>();
  readonly #waiting: Set<PlannedStep>;

  constructor(name: string, deps: EnsembleModelDeps, steps: readonly PlannedStep[], outputs: readonly string[], call: RunCall | undefined) {
    this.#name = name;
    this.#deps = deps;
    this.#outputs = outputs;
    this.#call = call;
    this.#waiting = new Set(steps);
    for (const tensor of outputs) this.#count(tensor);
    for (const step of steps) for (const tensor of new Set(step.inputs.map(([, each]) => each))) this.#count(tensor);
  }

  #count(tensor: string): void {
    this.#takers.set(tensor, (this.#takers.get(tensor) ?? 0) + 1);
  }

  async run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    for (const input of inputs) if (this.#takers.has(input.name)) this.#tensors.set(input.name, input);
    const signal = this.#call?.signal;
    const cancel = (): void => this.#abort.abort();
    if (signal?.aborted === true) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      // All end before this one does: nothing runs for a request that has been answered, and no memory of it is still read.
      const results = await Promise.allSettled(this.#startReady());
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
    return this.#outputs.map((name) => {
      const tensor = this.#tensors.get(name) as Tensor;
      // The request's memory serves the next one while the reply is still under way, and a reply's is freed.
      return inputs.includes(tensor) ? copyOf(tensor) : tensor;
    });
  }

  #startReady(): Promise<void>[] {
    const ready = [...this.#waiting].filter((step) => step.inputs.every(([, tensor]) => this.#tensors.has(tensor)));
    for (const step of ready) this.#waiting.delete(step);
    return ready.map((step) => this.#runStep(step));
  }

  async #runStep(step: PlannedStep): Promise<void> {
    try {
      const reply = await this.#deps.infer(this.#requestOf(step));
      void reply.finish();
      for (const [own, tensor] of step.outputs) {
        const output = reply.outputs.find(({ name }) => name === own);
        if (output !== undefined && this.#takers.has(tensor)) this.#tensors.set(tensor, { ...output, name: tensor });
      }
      for (const tensor of new Set(step.inputs.map(([, each]) => each))) this.#letGo(tensor);
    } catch (error) {
      this.#abort.abort();
      throw this.#named(step, error);
    }
    const next = await Promise.allSettled(this.#startReady());
    const failed = next.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #letGo(tensor: string): void {
    const left = (this.#takers.get(tensor) ?? 0) - 1;
    this.#takers.set(tensor, left);
    if (left === 0) this.#tensors.delete(tensor);
  }

  #requestOf(step: PlannedStep): InferRequest {
    const { priority, timeoutMicros, sequence, parameters } = this.#call ?? {};
    const now = performance.now();
    let left: number | undefined;
    if (timeoutMicros !== undefined && timeoutMicros > 0) {
      left = Math.floor(timeoutMicros - (now - this.#started) * 1000);
      if (left <= 0) throw unavailable('queue_timeout', 'Request timeout expired');
    }
    return {
      endpoint: step.model,
      version: step.version,
      inputs: step.inputs.map(([own, tensor]) => ({ ...(this.#tensors.get(tensor) as Tensor), name: own })),
      outputs: step.outputs.filter(([, tensor]) => this.#takers.has(tensor)).map(([own]) => own),
      call: { priority, timeoutMicros: left, sequence, parameters, signal: this.#abort.signal },
      // A step's shadow is not waited for: an answer would take as long as the slowest of them.
      copyForShadows: true,
      requestId: newRequestId(),
      receivedAt: Date.now(),
      startedAt: now,
    };
  }

  #named(step: PlannedStep, error: unknown): unknown {
    if (!(error instanceof BinnacleError)) return error;
    const { kind, code, message, details, retryAfterSeconds } = error;
    return new BinnacleError(kind, code, `in ensemble '${this.#name}', ${label(step)}: ${message}`, {
      details,
      cause: error,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }
}

const label = ({ index, model }: PlannedStep): string => `step ${index} (model '${model}')`;
