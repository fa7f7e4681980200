import type { Supervisor } from '../../compute/index.ts';
import { BinnacleError, unavailable } from '../../kernel/index.ts';
import type { LoadedModel, RunCall } from '../model-runtime.port.ts';
import type { Tensor } from '../tensor.ts';
import type { Activity } from './activity.ts';

const MEMORY_MS = 5000;

export interface SupervisedModelParts {
  name: string;
  supervisor: Supervisor;
  activity: Activity;
  /** Changes with each start: the server may be elsewhere then. */
  client(): LoadedModel;
}

/** A model behind a supervised server: what its client says, and what becomes of it while the server is away. */
export class SupervisedModel implements LoadedModel {
  readonly inputs: LoadedModel['inputs'];
  readonly outputs: LoadedModel['outputs'];
  readonly tier = 'process';
  readonly runMicros: number;
  readonly rowMicros: number;
  readonly batchable: boolean;
  readonly slots: number;
  readonly checksInputs: boolean | undefined;
  readonly usesParameters: boolean | undefined;
  readonly endsOnAbort: boolean | undefined;
  memoryBytes: number | undefined;
  readonly #supervisor: Supervisor;
  readonly #client: () => LoadedModel;
  readonly #activity: Activity;
  readonly #name: string;
  readonly #timer: NodeJS.Timeout;

  constructor({ name, supervisor, activity, client }: SupervisedModelParts) {
    this.#name = name;
    this.#supervisor = supervisor;
    this.#activity = activity;
    this.#client = client;
    const first = client();
    this.inputs = first.inputs;
    this.outputs = first.outputs;
    this.runMicros = first.runMicros;
    this.rowMicros = first.rowMicros;
    this.batchable = first.batchable;
    this.slots = first.slots;
    this.checksInputs = first.checksInputs;
    this.usesParameters = first.usesParameters;
    this.endsOnAbort = first.endsOnAbort;
    this.#timer = setInterval(() => void this.#measure(), MEMORY_MS).unref();
    void this.#measure();
  }

  get problem(): string | undefined {
    return this.#supervisor.problem;
  }

  get away(): boolean {
    return this.problem !== undefined;
  }

  check(inputs: readonly Tensor[]): void {
    this.#client().check?.(inputs);
  }

  execute(inputs: Tensor[], outputs: string[], call?: RunCall): Tensor[] | Promise<Tensor[]> {
    if (this.problem !== undefined) throw this.#away();
    const result = this.#client().execute(inputs, outputs, call);
    if (!(result instanceof Promise)) return result;
    this.#activity.begin();
    return result.then(
      (answer) => {
        this.#activity.end(true);
        return answer;
      },
      (error: unknown) => {
        // A refusal is an answer; what cannot be reached, was given up or ran out of time is none.
        this.#activity.end(error instanceof BinnacleError && error.kind !== 'unavailable');
        throw this.#explained(error);
      },
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#supervisor.stop();
    await this.#client().close();
  }

  #away(cause?: unknown): BinnacleError {
    // Whoever asks for a prediction is not told what the model's log says: that is on the endpoint.
    return unavailable('model_restarting', `The server of ${this.#name} is not running; it is being started again. Try again in a moment.`, {
      retryAfterSeconds: 2,
      cause,
    });
  }

  /** What went wrong because the server ended is no fault of the request. */
  #explained(error: unknown): unknown {
    if (error instanceof BinnacleError && (error.kind === 'invalid' || error.kind === 'unsupported')) return error;
    return this.problem === undefined ? error : this.#away(error);
  }

  async #measure(): Promise<void> {
    this.memoryBytes = await this.#supervisor.service?.memoryBytes().catch(() => undefined);
  }
}
