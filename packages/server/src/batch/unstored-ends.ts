import { BinnacleError, type Logger } from '../kernel/index.ts';
import type { BatchStore } from './batch-store.port.ts';

export type JobEnd = Parameters<BatchStore['finishJob']>[2];

/** Ends of jobs that could not be stored, because the disk is full, say: kept in memory and tried again until they are. */
export class UnstoredEnds {
  readonly #ends = new Map<string, { attempt: number; end: JobEnd; reason: string }>();
  readonly #store: Pick<BatchStore, 'finishJob'>;
  readonly #logger: Logger;
  readonly #retryMs: number;
  readonly #onStored: (id: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: { store: Pick<BatchStore, 'finishJob'>; logger: Logger; retryMs: number; onStored: (id: string) => void }) {
    this.#store = deps.store;
    this.#logger = deps.logger;
    this.#retryMs = deps.retryMs;
    this.#onStored = deps.onStored;
  }

  /** Now, or as soon as it goes. */
  async store(id: string, attempt: number, end: JobEnd): Promise<void> {
    this.#ends.set(id, { attempt, end, reason: '' });
    await this.settle(id).catch((err: unknown) => {
      this.#logger.error({ err, job: id }, 'the end of a batch job could not be stored; it is tried again');
    });
    this.#schedule();
  }

  /** How a job ended and why that is not stored yet; undefined for the others. */
  find(id: string): { end: JobEnd; reason: string } | undefined {
    return this.#ends.get(id);
  }

  /** Stores what waits for a job. Throws when that still cannot be. */
  async settle(id: string): Promise<void> {
    const waiting = this.#ends.get(id);
    if (waiting === undefined) return;
    try {
      await this.#store.finishJob(id, waiting.attempt, waiting.end);
    } catch (error) {
      waiting.reason = (error as Error).message;
      // Stored by another call in the meantime, or a later attempt holds the job: either way there is nothing left to store.
      if (!(error instanceof BinnacleError && error.code === 'batch_fenced')) throw error;
    }
    if (this.#ends.get(id) === waiting) this.#ends.delete(id);
    this.#onStored(id);
  }

  async #settleAll(): Promise<void> {
    for (const id of this.#ends.keys()) await this.settle(id).catch(() => undefined);
  }

  #schedule(): void {
    if (this.#closed || this.#timer !== undefined || this.#ends.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#settleAll().then(() => this.#schedule());
    }, this.#retryMs).unref();
  }

  /** Tries once more. What is not stored then is an interrupted job after the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#settleAll();
  }
}
