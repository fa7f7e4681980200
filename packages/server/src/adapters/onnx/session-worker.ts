import { Worker } from 'node:worker_threads';
import { deserializeError, siblingModule, unavailable } from '../../kernel/index.ts';
import type { RunCall, RunMarks, Tensor } from '../../serving/index.ts';
import type { Opened } from './open.ts';
import type { SessionHost } from './pool.ts';
import { buffersOf, type FromWorker, type SessionWorkerData, type ToWorker } from './worker.ts';

interface Pending {
  marks: RunMarks | undefined;
  resolve(outputs: Tensor[]): void;
  reject(error: Error): void;
}

/** A worker thread with a session of its own. */
export class SessionWorker implements SessionHost {
  readonly opened: Promise<Opened>;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #sequence = 0;
  /** Microseconds spent in the runtime so far. */
  busyMicros = 0;
  #dead = false;
  #closing = false;

  /** `onLost` is called with the reason when the thread ends unasked. */
  constructor(data: SessionWorkerData, onLost: (why: string) => void = () => {}) {
    this.#worker = new Worker(siblingModule('./worker', import.meta.url), { workerData: data, name: 'onnx' });
    const { promise, resolve, reject } = Promise.withResolvers<Opened>();
    this.opened = promise;
    promise.catch(() => {});
    this.#worker.on('message', (message: FromWorker) => {
      if (message.kind === 'opened') return resolve(message.opened);
      if (message.kind === 'failed') return reject(deserializeError(message.error));
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.kind === 'result') {
        this.busyMicros += message.micros;
        if (pending?.marks !== undefined) pending.marks.returned = performance.now();
        pending?.resolve(message.outputs);
      } else pending?.reject(deserializeError(message.error));
    });
    let cause: unknown;
    this.#worker.on('error', (error) => {
      cause = error;
    });
    this.#exited = new Promise((done) => {
      this.#worker.once('exit', () => {
        this.#dead = true;
        const error = unavailable('runtime_lost', 'The thread that ran the model has ended. Try again.', { cause, retryAfterSeconds: 1 });
        reject(error);
        for (const pending of this.#pending.values()) pending.reject(error);
        this.#pending.clear();
        done();
        if (!this.#closing) onLost('a thread that ran it has ended');
      });
    });
  }

  get alive(): boolean {
    return !this.#dead;
  }

  /** `inputs` are moved to the thread when they own their buffers, copied otherwise (a view must not drag a whole pool along). */
  run(inputs: readonly Tensor[], outputs: string[], _call?: RunCall, marks?: RunMarks): Promise<Tensor[]> {
    if (this.#dead) return Promise.reject(unavailable('runtime_lost', 'The thread that ran the model has ended. Try again.', { retryAfterSeconds: 1 }));
    const id = ++this.#sequence;
    const own = inputs.map((input) => (Array.isArray(input.data) ? input : { ...input, data: input.data.slice() }));
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { marks, resolve, reject });
      this.#worker.postMessage({ kind: 'run', id, inputs: own, outputs } satisfies ToWorker, buffersOf(own));
      if (marks !== undefined) marks.called = performance.now();
    });
  }

  /** Ends the thread after the messages that it has; it is never terminated, because that in the middle of a run aborts the process. */
  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#dead) this.#worker.postMessage({ kind: 'close' } satisfies ToWorker);
    await this.#exited;
  }
}
