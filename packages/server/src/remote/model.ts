import type { TensorSpec } from '@binnacle/contract';
import { type LoadedModel, type RunCall, type Tensor } from '../serving/index.ts';
import type { RemoteClient, RemoteModelFacts } from './client.ts';
import { isAnswer, isAway } from './errors.ts';
import { Health } from './health.ts';
import type { Secret } from './secret.ts';

const PROBE_MS = 3000;

export interface RemoteModelOptions {
  client: RemoteClient;
  facts: RemoteModelFacts;
  secret: Secret | undefined;
  timeoutMs: number;
  slots: number;
  runMicros: number;
}

/** A model on a server elsewhere, as serving sees every model. */
export class RemoteModel implements LoadedModel {
  readonly tier = 'remote';
  readonly usesParameters = true;
  readonly endsOnAbort = true;
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  readonly batchable: boolean;
  readonly checksInputs: boolean;
  readonly slots: number;
  readonly runMicros: number;
  readonly rowMicros: number;
  readonly #client: RemoteClient;
  readonly #timeoutMs: number;
  readonly #health: Health;

  constructor({ client, facts, secret, timeoutMs, slots, runMicros }: RemoteModelOptions) {
    this.inputs = facts.inputs;
    this.outputs = facts.outputs;
    this.batchable = facts.batchable;
    this.checksInputs = facts.checksInputs;
    this.slots = slots;
    this.runMicros = runMicros;
    // What a further row costs there is not known here, so rows are merged only where the endpoint's configuration says so.
    this.rowMicros = runMicros;
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    this.#health = new Health(async () => {
      await secret?.refresh();
      await client.probe({ deadline: performance.now() + Math.min(timeoutMs, PROBE_MS) });
    });
  }

  get problem(): string | undefined {
    return this.#health.problem;
  }

  async execute(inputs: Tensor[], outputs: string[], call?: RunCall): Promise<Tensor[]> {
    const end = this.#health.begin();
    try {
      const answer = await this.#client.infer(inputs, outputs, {
        deadline: performance.now() + this.#timeoutMs,
        signal: call?.signal,
        knownAway: this.#health.problem !== undefined,
        call,
      });
      this.#health.well();
      return answer;
    } catch (error) {
      if (isAway(error)) this.#health.away(error);
      else if (isAnswer(error)) this.#health.answered();
      throw error;
    } finally {
      end();
    }
  }

  async close(): Promise<void> {
    this.#health.close();
    this.#client.close();
  }
}

/** One run of one real row; NaN without one, since a made-up row could cost somebody something. */
export async function measure(client: RemoteClient, facts: RemoteModelFacts, sample: readonly Tensor[] | undefined, timeoutMs: number): Promise<number> {
  const row = sample?.map((tensor) => {
    const rows = tensor.shape[0] ?? 0;
    const width = rows === 0 ? 0 : tensor.data.length / rows;
    return rows === 0 ? undefined : { ...tensor, shape: [1, ...tensor.shape.slice(1)], data: tensor.data.slice(0, width) };
  });
  if (row === undefined || row.length === 0 || row.includes(undefined)) return Number.NaN;
  try {
    const started = performance.now();
    await client.infer(
      row as Tensor[],
      facts.outputs.map(({ name }) => name),
      { deadline: started + timeoutMs },
    );
    return (performance.now() - started) * 1000;
  } catch (error) {
    if (isAway(error)) throw error;
    return Number.NaN;
  }
}
