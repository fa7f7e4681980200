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
  /** Milliseconds after which a request without an answer is given up and tried again; 30,000 by default. */
  requestTimeoutMs?: number;
  /** Milliseconds for which `end` goes on trying to send the rest; 60,000 by default. What is left then is lost and counted in `dropped`. */
  endTimeoutMs?: number;
  /** Told of what could not be sent; a training never stops because of its logger. Default: warnings on the console, each once. */
  onError?: (error: unknown) => void;
}

interface Point {
  key: string;
  value: number | 'NaN' | 'Infinity' | '-Infinity';
  step: number;
  timestamp: number;
}

/** What the server takes or refuses as one: the points of a key, a param, or a tag. */
type Unit = { kind: 'metric'; key: string; points: Point[] } | { kind: 'param' | 'tag'; key: string; value: string };

const POINTS_A_REQUEST = 5000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;
const REQUEST_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 60_000;
/** A run with thousands of refused keys must not fill a terminal. */
const MOST_WARNINGS = 20;
const loose = (value: number): Point['value'] => (Number.isFinite(value) ? value : (String(value) as Point['value']));
const statusOf = (error: unknown): number => (error as { status?: number }).status ?? 0;
/** The server will not take the same again; a wrong token is no fault of the data and may be set right. */
const isFinal = (status: number): boolean => status >= 400 && status < 500 && ![401, 403, 408, 425, 429].includes(status);
/** The run is gone: no part of what was sent can be saved. */
const isGone = (status: number): boolean => status === 404 || status === 410;
const sizeOf = (unit: Unit): number => (unit.kind === 'metric' ? unit.points.length : 1);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

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
  readonly #warned = new Set<string>();
  #status: 'FINISHED' | 'FAILED' | 'KILLED' = 'FINISHED';
  #ended = false;
  /** Seconds that the server asked to wait. */
  #retryAfter = 0;

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

  /** Points, params and tags that were given up: refused by the server, or not answered for too long. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sends what is waiting. Resolves when it is durable on the server, or kept for the next try. */
  async flush(signal?: AbortSignal): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
    this.#sending = this.#send(signal).finally(() => {
      this.#sending = undefined;
    });
    await this.#sending;
  }

  get #waiting(): number {
    return this.#points.length + Object.keys(this.#params).length + Object.keys(this.#tags).length;
  }

  async #send(signal?: AbortSignal): Promise<void> {
    while (this.#waiting > 0) {
      const units = this.#take();
      try {
        await this.#deliver(units, signal);
      } catch (error) {
        this.#report('network', error, 'could not be logged', 'trying on');
        this.#retryAfter = (error as { retryAfter?: number }).retryAfter ?? 0;
        return;
      }
    }
  }

  #take(): Unit[] {
    const byKey = new Map<string, Point[]>();
    for (const point of this.#points.splice(0, POINTS_A_REQUEST)) {
      const points = byKey.get(point.key);
      if (points === undefined) byKey.set(point.key, [point]);
      else points.push(point);
    }
    const units: Unit[] = [...byKey].map(([key, points]) => ({ kind: 'metric', key, points }));
    for (const [key, value] of Object.entries(this.#params)) units.push({ kind: 'param', key, value });
    for (const [key, value] of Object.entries(this.#tags)) units.push({ kind: 'tag', key, value });
    this.#params = {};
    this.#tags = {};
    return units;
  }

  #putBack(units: Unit[]): void {
    this.#points.unshift(...units.flatMap((unit) => (unit.kind === 'metric' ? unit.points : [])));
    // What was set meanwhile is newer.
    for (const unit of units) {
      if (unit.kind === 'param') this.#params[unit.key] ??= unit.value;
      if (unit.kind === 'tag') this.#tags[unit.key] ??= unit.value;
    }
  }

  /**
   * Sends units in one request. When the server refuses it, halves it until only what it refuses is left, gives that up, and the rest is logged.
   * Throws when there is no answer; everything unsent is then back in the buffer.
   */
  async #deliver(units: Unit[], signal?: AbortSignal): Promise<void> {
    const left = [units];
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      try {
        await this.#call(part, signal);
      } catch (error) {
        const status = statusOf(error);
        if (!isFinal(status)) {
          this.#putBack([...part, ...left.reverse().flat()]);
          throw error;
        }
        if (part.length === 1 || isGone(status)) {
          for (const unit of part) this.#giveUp(unit, error);
        } else {
          const [kinds, half] = [part.filter((unit) => unit.kind === 'metric').length, Math.ceil(part.length / 2)];
          // Params and tags apart from the metrics first: a changed param is the most common reason.
          const cut = kinds > 0 && kinds < part.length ? kinds : half;
          left.push(part.slice(cut), part.slice(0, cut));
        }
      }
    }
  }

  async #call(units: Unit[], signal?: AbortSignal): Promise<void> {
    const body: { metrics: Point[]; params: Record<string, string>; tags: Record<string, string> } = { metrics: [], params: {}, tags: {} };
    for (const unit of units) {
      if (unit.kind === 'metric') body.metrics.push(...unit.points);
      else body[unit.kind === 'param' ? 'params' : 'tags'][unit.key] = unit.value;
    }
    await this.#client.call('logBatch', { params: { runId: this.id }, body, signal: this.#signal(signal) });
  }

  #signal(end?: AbortSignal): AbortSignal {
    const own = AbortSignal.timeout(this.#options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS);
    return end === undefined ? own : AbortSignal.any([own, end]);
  }

  #giveUp(unit: Unit, error: unknown): void {
    this.#dropped += sizeOf(unit);
    this.#report(`${unit.kind} ${unit.key}`, error, `: the server refuses the ${unit.kind} "${unit.key}"`, 'it is left out');
  }

  /** Tells once about each reason on the console, or every time the one who asked to be told. */
  #report(reason: string, error: unknown, what: string, then: string): void {
    if (this.#options.onError !== undefined) {
      try {
        this.#options.onError(error);
      } catch {
        // A logger never throws into a training, and neither does what it calls.
      }
      return;
    }
    if (this.#warned.has(reason) || this.#warned.size >= MOST_WARNINGS) return;
    this.#warned.add(reason);
    globalThis.console?.warn(
      `binnacle: run ${this.id}${what.startsWith(':') ? '' : ' '}${what} (${error instanceof Error ? error.message : String(error)}); ${then}`,
    );
  }

  /**
   * Sends the rest and ends the run; never throws. While the server does not answer it tries again for `endTimeoutMs`; what is left then is
   * lost, and told. Safe to call twice.
   */
  async end(status: 'FINISHED' | 'FAILED' | 'KILLED' = this.#status): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    const endedAt = Date.now();
    const limit = this.#options.endTimeoutMs ?? END_TIMEOUT_MS;
    const signal = AbortSignal.timeout(limit);
    const deadline = endedAt + limit;
    await this.#until(deadline, async () => {
      await this.flush(signal);
      return this.#waiting === 0;
    });
    const lost = this.#waiting;
    if (lost > 0) {
      this.#dropped += lost;
      this.#points = [];
      this.#params = {};
      this.#tags = {};
      this.#report('lost', new Error(`${lost} values were not taken within ${limit} ms`), 'is not complete', 'they are lost');
    }
    await this.#until(deadline, async () => {
      try {
        await this.#client.call('updateRun', { params: { runId: this.id }, body: { status, endedAt }, signal: this.#signal(signal) });
        return true;
      } catch (error) {
        const final = isFinal(statusOf(error)) || signal.aborted;
        this.#report(final ? 'end' : 'network', error, `could not be ended as ${status}`, final ? 'it stays as it is' : 'trying on');
        return final;
      }
    });
  }

  /** Repeats what fails, at growing distances, up to the deadline. */
  async #until(deadline: number, work: () => Promise<boolean>): Promise<void> {
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      this.#retryAfter = 0;
      if (await work()) return;
      const pause = Math.max(wait, this.#retryAfter * 1000);
      if (Date.now() + pause >= deadline) return;
      await sleep(pause);
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
  const run = await client.call('createRun', { body, signal: AbortSignal.timeout(options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS) });
  return new RunLogger(client, run.id, options);
}
