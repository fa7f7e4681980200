import type { TensorSpec } from '@binnacle/contract';
import { unavailable } from '../../kernel/index.ts';
import type { LoadedModel, LoadOptions, ModelRuntime, Tensor } from '../../serving/index.ts';
import { TurnBatcher } from './batcher.ts';
import { openSession, type Session } from './binding.ts';
import { checkInputs, checkOutputs, checkSameRows } from './check.ts';
import { rowsOf } from './merge.ts';
import { SessionPool } from './pool.ts';
import { SessionWorker } from './session-worker.ts';
import type { Opened, SessionWorkerData } from './worker.ts';

/** A run below this is cheaper on the main thread than the way to a worker and back. */
const INLINE_RUN_MICROS = 200;
/** Making a session blocks its thread: a longer one stays in its worker. */
const INLINE_OPEN_MS = 60;
/** A single request of an inline model that would block the event loop longer goes to a worker. */
const LARGE_REQUEST_MICROS = 3000;
const LARGE_IDLE_MS = 30_000;
/** Merging must save at least a fifth of the time, else it only adds latency (a CNN on a CPU gains nothing). */
const MERGE_GAIN = 0.8;

/** ONNX Runtime in process: tiny models on the main thread, merged a turn; slower ones in worker threads. */
export const createOnnxRuntime = (defaults: { instances?: number; threads?: number } = {}): ModelRuntime => ({
  async load(file, options = {}) {
    const data: SessionWorkerData = { file, threads: options.threads ?? defaults.threads ?? 1, sample: options.sample };
    // The first session is made and measured off the main thread, whatever the tier: nobody waits for it.
    const worker: SessionWorker = new SessionWorker(data);
    let opened: Opened;
    try {
      opened = await worker.opened;
    } catch (error) {
      await worker.close();
      throw error;
    }
    const label = options.label ?? file.split(/[\\/]/).at(-1) ?? file;
    if (tierOf(options, opened) === 'worker') {
      const pool = await SessionPool.open(data, Math.max(1, options.instances ?? defaults.instances ?? 1), { worker, opened });
      return new OnnxModel(label, opened, pool);
    }
    await worker.close();
    return new OnnxModel(label, opened, await openSession(file, data.threads), data);
  },
});

function tierOf(options: LoadOptions, opened: Opened): 'inline' | 'worker' {
  if (options.tier === 'inline' || options.tier === 'worker') return options.tier;
  return opened.runMicros < INLINE_RUN_MICROS && opened.openMs < INLINE_OPEN_MS ? 'inline' : 'worker';
}

class OnnxModel implements LoadedModel {
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  readonly tier: 'inline' | 'worker';
  readonly runMicros: number;
  readonly batchable: boolean;
  readonly #label: string;
  readonly #rowMicros: number;
  readonly #batcher: TurnBatcher;
  readonly #backend: Session | SessionPool;
  readonly #allOutputs: string[];
  readonly #large: SessionWorkerData | undefined;
  #largePool: Promise<SessionPool> | undefined;
  #largeTimer: NodeJS.Timeout | undefined;
  #largeRuns = 0;
  #closed: Promise<void> | undefined;

  constructor(label: string, opened: Opened, backend: Session | SessionPool, large?: SessionWorkerData) {
    const pool = backend instanceof SessionPool ? backend : undefined;
    this.#label = label;
    this.#backend = backend;
    this.#large = large;
    this.inputs = opened.inputs;
    this.outputs = opened.outputs;
    this.tier = pool === undefined ? 'inline' : 'worker';
    this.runMicros = opened.runMicros;
    this.batchable = opened.batchable;
    this.#rowMicros = opened.rowMicros;
    this.#allOutputs = opened.outputs.map((output) => output.name);
    const gains = pool === undefined || opened.rowMicros < opened.runMicros * MERGE_GAIN;
    this.#batcher = new TurnBatcher({
      execute: pool === undefined ? (inputs, outputs) => (backend as Session).run(inputs, outputs) : (inputs, outputs) => pool.run(inputs, outputs),
      slots: pool?.size ?? 1,
      merge: opened.batchable && gains,
      // About two milliseconds of work inline, so that one merged run never holds the event loop for long.
      maxRows: pool === undefined ? Math.min(1024, Math.max(8, Math.floor(2000 / Math.max(opened.rowMicros, 0.5)))) : 64,
    });
  }

  get busyMicros(): number | undefined {
    return this.#backend instanceof SessionPool ? this.#backend.busyMicros : undefined;
  }

  run(inputs: Tensor[], outputs?: string[]): Promise<Tensor[]> {
    if (this.#closed !== undefined)
      return Promise.reject(unavailable('model_closed', `Model '${this.#label}' has been unloaded. Try again.`, { retryAfterSeconds: 1 }));
    let checked: Tensor[];
    let names: string[];
    try {
      checked = checkInputs(this.inputs, inputs, this.#label);
      if (this.batchable) checkSameRows(checked, this.#label);
      names = outputs === undefined || outputs.length === 0 ? this.#allOutputs : checkOutputs(this.outputs, outputs, this.#label);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    if (this.#large !== undefined && rowsOf(checked) * this.#rowMicros > LARGE_REQUEST_MICROS) return this.#runLarge(this.#large, checked, names);
    return this.#batcher.submit(checked, names);
  }

  /** A request too big for the main thread: a worker is started for it and stays for a while. */
  async #runLarge(data: SessionWorkerData, inputs: Tensor[], outputs: string[]): Promise<Tensor[]> {
    this.#largeRuns++;
    clearTimeout(this.#largeTimer);
    try {
      this.#largePool ??= SessionPool.open(data, 1);
      const pool = await this.#largePool.catch((error: unknown) => {
        this.#largePool = undefined;
        throw error;
      });
      return await pool.run(inputs, outputs);
    } finally {
      this.#largeRuns--;
      if (this.#largeRuns === 0 && this.#closed === undefined) this.#largeTimer = setTimeout(() => void this.#closeLarge(), LARGE_IDLE_MS).unref();
    }
  }

  async #closeLarge(): Promise<void> {
    const pool = this.#largePool;
    this.#largePool = undefined;
    await (await pool?.catch(() => undefined))?.close();
  }

  close(): Promise<void> {
    this.#closed ??= this.#drain();
    return this.#closed;
  }

  async #drain(): Promise<void> {
    clearTimeout(this.#largeTimer);
    await this.#batcher.drained();
    while (this.#largeRuns > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await this.#closeLarge();
    if (this.#backend instanceof SessionPool) await this.#backend.close();
    else this.#backend.release();
  }
}
