import type { TensorSpec } from '@binnacle/contract';
import { invalid } from '../../kernel/index.ts';
import { isText, type LoadedModel, type LoadOptions, type ModelRuntime, type Tensor } from '../../serving/index.ts';
import { openSession, type Session } from './binding.ts';
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

/** ONNX Runtime in process: tiny models on the main thread, slower ones in worker threads. */
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
  readonly rowMicros: number;
  readonly batchable: boolean;
  readonly slots: number;
  readonly #label: string;
  readonly #backend: Session | SessionPool;
  readonly #large: SessionWorkerData | undefined;
  #largePool: Promise<SessionPool> | undefined;
  #largeTimer: NodeJS.Timeout | undefined;
  #largeRuns = 0;
  #closed = false;

  constructor(label: string, opened: Opened, backend: Session | SessionPool, large?: SessionWorkerData) {
    const pool = backend instanceof SessionPool ? backend : undefined;
    this.#label = label;
    this.#backend = backend;
    this.#large = large;
    this.inputs = opened.inputs;
    this.outputs = opened.outputs;
    this.tier = pool === undefined ? 'inline' : 'worker';
    this.runMicros = opened.runMicros;
    this.rowMicros = opened.rowMicros;
    this.batchable = opened.batchable;
    // Inline, only large requests are ever under way, and their worker has a queue of its own.
    this.slots = pool?.size ?? Number.POSITIVE_INFINITY;
  }

  get busyMicros(): number | undefined {
    return this.#backend instanceof SessionPool ? this.#backend.busyMicros : undefined;
  }

  /** The binding hands strings over as C strings, which end at the first NUL: refused here rather than cut in silence. */
  check(inputs: readonly Tensor[]): void {
    for (const { name, datatype, data } of inputs) {
      if (datatype !== 'BYTES') continue;
      const at = (data as string[]).findIndex((value) => value.includes('\0') || !isText(value));
      if (at >= 0 && !isText((data as string[])[at] as string))
        throw invalid(
          'string_not_utf8',
          `input '${name}' for model '${this.#label}': string ${at} is not UTF-8, and the runtime keeps strings as UTF-8. Encode the bytes (base64, say).`,
        );
      if (at >= 0)
        throw invalid(
          'string_with_nul',
          `input '${name}' for model '${this.#label}': string ${at} holds a NUL character, at which the runtime would cut it off. Remove it, or encode the bytes.`,
        );
    }
  }

  execute(inputs: Tensor[], outputs: string[]): Tensor[] | Promise<Tensor[]> {
    if (this.#backend instanceof SessionPool) return this.#backend.run(inputs, outputs);
    if (this.#large !== undefined && (inputs[0]?.shape[0] ?? 0) * this.rowMicros > LARGE_REQUEST_MICROS) return this.#runLarge(this.#large, inputs, outputs);
    return this.#backend.run(inputs, outputs);
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
      if (this.#largeRuns === 0 && !this.#closed) this.#largeTimer = setTimeout(() => void this.#closeLarge(), LARGE_IDLE_MS).unref();
    }
  }

  async #closeLarge(): Promise<void> {
    const pool = this.#largePool;
    this.#largePool = undefined;
    await (await pool?.catch(() => undefined))?.close();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#largeTimer);
    await this.#closeLarge();
    if (this.#backend instanceof SessionPool) await this.#backend.close();
    else this.#backend.release();
  }
}
