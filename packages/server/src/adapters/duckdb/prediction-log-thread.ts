import { Worker } from 'node:worker_threads';
import { deserializeError, serializeError, siblingModule, unavailable } from '../../kernel/index.ts';
import { buffersOf } from '../../monitoring/log-rows.ts';
import type { PredictionLog, SegmentManifest } from '../../monitoring/prediction-log.port.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './prediction-log-wire.ts';

export interface PredictionLogThreadOptions extends WorkerOptions {
  manifest: SegmentManifest;
}

/**
 * The prediction log in a worker thread of its own, which alone opens the log's database file: appending and querying never hold up a
 * prediction. The thread starts with the first call that needs it, so an idle server loads no DuckDB for it.
 */
export function duckDbPredictionLog(options: PredictionLogThreadOptions): PredictionLog {
  const thread = new LogThread(options);
  const call =
    <M extends Exclude<keyof PredictionLog, 'append' | 'maintain' | 'close'>>(method: M) =>
    (...args: Parameters<PredictionLog[M]>): ReturnType<PredictionLog[M]> =>
      thread.call(method, args) as ReturnType<PredictionLog[M]>;
  return {
    // The rows' memory goes over to the thread: it is not the caller's any more.
    append: (rows) => (rows.rows === 0 ? Promise.resolve() : (thread.call('append', [rows], buffersOf(rows)) as Promise<void>)),
    addLabels: call('addLabels'),
    beyond: call('beyond'),
    list: call('list'),
    sample: call('sample'),
    labelValues: call('labelValues'),
    countLabelled: call('countLabelled'),
    quality: call('quality'),
    maintain: (force) => (thread.started || force === true ? (thread.call('maintain', [force]) as Promise<void>) : Promise.resolve()),
    close: () => thread.close(),
  };
}

class LogThread {
  readonly #options: PredictionLogThreadOptions;
  #worker: Worker | undefined;
  #calls = 0;
  readonly #pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #closed = false;

  constructor(options: PredictionLogThreadOptions) {
    this.#options = options;
  }

  get started(): boolean {
    return this.#worker !== undefined;
  }

  #start(): Worker {
    const { manifest, ...workerData } = this.#options;
    const worker = new Worker(siblingModule('./prediction-log-worker', import.meta.url), { workerData, name: 'prediction-log' });
    worker.on('message', (message: FromWorker) => {
      if ('answer' in message) this.#settle(message);
      else this.#answer(worker, manifest, message);
    });
    const fail = (cause?: unknown) => {
      if (this.#worker === worker) this.#worker = undefined;
      const error = unavailable('prediction_log_stopped', 'The thread of the prediction log has stopped; it starts again with the next call.', { cause });
      for (const pending of this.#pending.values()) pending.reject(error);
      this.#pending.clear();
    };
    worker.on('error', fail);
    worker.on('exit', () => fail());
    return worker;
  }

  #settle(message: Extract<FromWorker, { answer: number }>): void {
    const pending = this.#pending.get(message.answer);
    this.#pending.delete(message.answer);
    if (message.error === undefined) pending?.resolve(message.value);
    else pending?.reject(deserializeError(message.error));
    // Only what waits for an answer keeps the process alive.
    if (this.#pending.size === 0 && !this.#closed) this.#worker?.unref();
  }

  #answer(worker: Worker, manifest: SegmentManifest, { call, method, args }: Extract<FromWorker, { call: number }>): void {
    const reply = (message: ToWorker) => worker.postMessage(message);
    (manifest[method] as (...args: unknown[]) => Promise<unknown>)(...args).then(
      (value) => reply({ answer: call, value }),
      (error: unknown) => reply({ answer: call, error: serializeError(error) }),
    );
  }

  call(method: string, args: unknown[], transfer: ArrayBufferLike[] = []): Promise<unknown> {
    if (this.#closed) return Promise.reject(unavailable('prediction_log_closed', 'The prediction log is closed.'));
    return this.#send(method, args, transfer);
  }

  #send(method: string, args: unknown[], transfer: ArrayBufferLike[]): Promise<unknown> {
    this.#worker ??= this.#start();
    this.#worker.ref();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(++this.#calls, { resolve, reject });
    this.#worker.postMessage({ call: this.#calls, method, args } satisfies ToWorker, transfer as ArrayBuffer[]);
    return promise;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    await this.#send('close', [], []);
    await ended;
  }
}
