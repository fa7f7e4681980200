import type { Tensor } from '../../serving/index.ts';
import { SessionWorker } from './session-worker.ts';
import type { Opened, SessionWorkerData } from './worker.ts';

const RESTART_MS = 1000;

/** Sessions in worker threads; each runs one request (or merged group) at a time. A thread that is lost is replaced. */
export class SessionPool {
  readonly #data: SessionWorkerData;
  readonly #free: SessionWorker[] = [];
  readonly #all = new Set<SessionWorker>();
  #waiting: ((worker: SessionWorker) => void)[] = [];
  #closed = false;
  #busyOfLost = 0;
  readonly size: number;

  private constructor(data: SessionWorkerData, size: number) {
    this.#data = data;
    this.size = size;
  }

  /** Opens the first worker, whose measurements it returns, then the others. */
  static async open(data: SessionWorkerData, size: number, first?: { worker: SessionWorker; opened: Opened }): Promise<SessionPool> {
    const pool = new SessionPool(data, size);
    if (first !== undefined) pool.#adopt(first.worker);
    try {
      await Promise.all(Array.from({ length: size - (first === undefined ? 0 : 1) }, () => pool.#start()));
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  async #start(): Promise<void> {
    const worker: SessionWorker = new SessionWorker(this.#data, () => this.#lost(worker));
    try {
      await worker.opened;
    } catch (error) {
      await worker.close();
      throw error;
    }
    this.#adopt(worker);
  }

  #adopt(worker: SessionWorker): void {
    this.#all.add(worker);
    this.#release(worker);
  }

  #release(worker: SessionWorker): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(worker);
    else next(worker);
  }

  #lost(worker: SessionWorker): void {
    this.#all.delete(worker);
    this.#busyOfLost += worker.busyMicros;
    const at = this.#free.indexOf(worker);
    if (at >= 0) this.#free.splice(at, 1);
    this.#restart();
  }

  #restart(): void {
    if (this.#closed) return;
    setTimeout(() => {
      if (!this.#closed && this.#all.size < this.size) this.#start().catch(() => this.#restart());
    }, RESTART_MS).unref();
  }

  /** Microseconds that the workers have spent in the runtime. */
  get busyMicros(): number {
    return [...this.#all].reduce((sum, worker) => sum + worker.busyMicros, this.#busyOfLost);
  }

  async run(inputs: Tensor[], outputs: string[]): Promise<Tensor[]> {
    const worker = this.#free.pop() ?? (await new Promise<SessionWorker>((resolve) => this.#waiting.push(resolve)));
    try {
      return await worker.run(inputs, outputs);
    } finally {
      if (worker.alive) this.#release(worker);
    }
  }

  /** The caller has drained it. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((worker) => worker.close()));
  }
}
