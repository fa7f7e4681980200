import type { OperationRequest, Operations } from '@binnacle/contract';
import { type Client, type ClientOptions, createClient } from './client.ts';

type CreateRun = OperationRequest<Operations['createRun']>['body'];
/** How a run starts and how it is sent. */
export interface StartRunOptions extends ClientOptions {
  /** Experiment name; created when it does not exist. Default: "Default". */
  experiment?: string;
  name?: string;
  params?: Record<string, string | number | boolean>;
  tags?: Record<string, string>;
  /** Milliseconds between two sends; 1000 by default. */
  flushIntervalMs?: number;
  /** Points kept while the server does not answer; the oldest go first beyond it. 100,000 by default. */
  maxBuffered?: number;
  /** Told of what could not be sent; a training never stops because of its logger. Default: one warning on the console. */
  onError?: (error: unknown) => void;
}

interface Point {
  key: string;
  value: number | 'NaN' | 'Infinity' | '-Infinity';
  step: number;
  timestamp: number;
}

const POINTS_A_REQUEST = 5000;
const loose = (value: number): Point['value'] => (Number.isFinite(value) ? value : (String(value) as Point['value']));

/**
 * A run that is logged in the background: `log` never blocks and never throws, points are sent in batches, and what could not be sent is
 * tried again. Ends as FINISHED at the end of its scope, as FAILED when `fail` was called.
 *
 * @example
 * await using run = await startRun({ baseUrl: 'http://127.0.0.1:8000', experiment: 'churn', params: { lr: 0.1 } });
 * for (let step = 0; step < 100; step++) run.log({ loss: train() }, step);
 */
export class RunLogger implements AsyncDisposable {
  readonly id: string;
  readonly #client: Client;
  readonly #options: StartRunOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #points: Point[] = [];
  #params: Record<string, string> = {};
  #tags: Record<string, string> = {};
  #sending: Promise<void> | undefined;
  #step = 0;
  #dropped = 0;
  #warned = false;
  #status: 'FINISHED' | 'FAILED' | 'KILLED' = 'FINISHED';
  #ended = false;

  constructor(client: Client, id: string, options: StartRunOptions) {
    this.#client = client;
    this.id = id;
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), options.flushIntervalMs ?? 1000);
    // A forgotten run must not keep the process alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** Logs values of one step; without a step they count on from the last. */
  log(values: Record<string, number>, step: number = this.#step): void {
    this.#step = step + 1;
    const timestamp = Date.now();
    for (const [key, value] of Object.entries(values)) this.#points.push({ key, value: loose(value), step, timestamp });
    const over = this.#points.length - (this.#options.maxBuffered ?? 100_000);
    if (over > 0) {
      this.#points.splice(0, over);
      this.#dropped += over;
    }
    if (this.#points.length >= POINTS_A_REQUEST) void this.flush();
  }

  /** Logs params; MLflow's rule holds: one that is set cannot be changed. */
  params(params: Record<string, string | number | boolean>): void {
    for (const [key, value] of Object.entries(params)) this.#params[key] = String(value);
  }

  /** Sets tags; the last value counts. */
  tags(tags: Record<string, string>): void {
    Object.assign(this.#tags, tags);
  }

  /** Marks the run as failed; it still ends at the end of its scope. */
  fail(): void {
    this.#status = 'FAILED';
  }

  /** Points that were given up because the server did not answer for too long. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sends what is waiting. Resolves when it is durable on the server, or kept for the next try. */
  async flush(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
    this.#sending = this.#send().finally(() => {
      this.#sending = undefined;
    });
    await this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#points.length > 0 || Object.keys(this.#params).length > 0 || Object.keys(this.#tags).length > 0) {
      const metrics = this.#points.splice(0, POINTS_A_REQUEST);
      const [params, tags] = [this.#params, this.#tags];
      this.#params = {};
      this.#tags = {};
      try {
        await this.#client.call('logBatch', { params: { runId: this.id }, body: { metrics, params, tags } });
      } catch (error) {
        const refused = (error as { status?: number }).status ?? 0;
        if (refused >= 400 && refused < 500 && refused !== 408 && refused !== 429) {
          // The server will never take these; keeping them would block what comes after.
          this.#dropped += metrics.length;
        } else {
          this.#points.unshift(...metrics);
          this.#params = { ...params, ...this.#params };
          this.#tags = { ...tags, ...this.#tags };
        }
        this.#report(error);
        return;
      }
    }
  }

  #report(error: unknown): void {
    if (this.#options.onError !== undefined) return this.#options.onError(error);
    if (this.#warned) return;
    this.#warned = true;
    globalThis.console?.warn(`binnacle: run ${this.id} could not be logged (${error instanceof Error ? error.message : String(error)}); trying on`);
  }

  /** Sends the rest and ends the run; never throws. Safe to call twice. */
  async end(status: 'FINISHED' | 'FAILED' | 'KILLED' = this.#status): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    await this.flush();
    try {
      await this.#client.call('updateRun', { params: { runId: this.id }, body: { status, endedAt: Date.now() } });
    } catch (error) {
      this.#report(error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

/** Starts a run. Throws BinnacleApiError when the server does not answer: a training that cannot log should say so at its start. */
export async function startRun(options: StartRunOptions): Promise<RunLogger> {
  const client = createClient(options);
  const body: CreateRun = {
    experiment: options.experiment ?? 'Default',
    startedAt: Date.now(),
    tags: options.tags ?? {},
    params: Object.fromEntries(Object.entries(options.params ?? {}).map(([key, value]) => [key, String(value)])),
  };
  if (options.name !== undefined) body.name = options.name;
  const run = await client.call('createRun', { body });
  return new RunLogger(client, run.id, options);
}
