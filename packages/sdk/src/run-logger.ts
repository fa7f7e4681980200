import type { OperationRequest, Operations } from '@binnacle/contract';
import { type ClientOptions, createClient } from './client.ts';
import { type EndStatus, type Entry, loose, type SeriesEntry } from './entries.ts';
import { type Histogram, histogram } from './histogram.ts';
import { HttpSink, REQUEST_TIMEOUT_MS, type SendOptions } from './http-sink.ts';
import { reporter } from './reporter.ts';
import type { RunSink } from './run-sink.ts';

type CreateRun = OperationRequest<Operations['createRun']>['body'];

/** What a run is, wherever it is logged to. */
export interface RunOptions {
  /** Experiment name; created when it does not exist. Default: "Default". */
  experiment?: string;
  name?: string;
  /** Who runs it. */
  user?: string;
  params?: Record<string, string | number | boolean>;
  tags?: Record<string, string>;
  /** 32 lower-case hexadecimal digits. A run of this id that is there already is gone on with. Default: a new one. */
  runId?: string;
  /** The run that this one goes on from: it shows that run's series up to this step as its own. */
  fork?: { runId: string; step: number };
  /** Told of what could not be sent; a training never stops because of its logger. Default: warnings on the console, each once. */
  onError?: (error: unknown) => void;
}
/** How a run starts and how it is sent. */
export interface StartRunOptions extends RunOptions, ClientOptions, SendOptions {}

/** The bytes of a file. */
export type FileContent = string | Uint8Array<ArrayBuffer> | ArrayBuffer | Blob;
/** A file of one step: `path` is its place among the run's artifacts; without `content` it is there already. */
export interface FileOfStep {
  path: string;
  content?: FileContent;
}

/**
 * A run that is logged in the background: `log` and its siblings never block and never throw, entries are sent in batches, and what could not be
 * sent is tried again. Ends as FINISHED at the end of its scope, as FAILED when `fail` was called.
 *
 * Steps are any finite numbers; without one, the values of a call get the next whole step after the last.
 *
 * @example
 * await using run = await startRun({ baseUrl: 'http://127.0.0.1:8000', experiment: 'churn', params: { lr: 0.1 } });
 * for (let step = 0; step < 100; step++) run.log({ loss: train() }, step);
 */
export class RunLogger implements AsyncDisposable {
  readonly id: string;
  readonly #sink: RunSink;
  #step = 0;
  #status: EndStatus = 'FINISHED';
  #ended: Promise<void> | undefined;
  readonly #beforeEnd: () => Promise<unknown>;
  /** Files that are being opened, on their way to the sink. */
  readonly #opening = new Set<Promise<void>>();

  /** `beforeEnd`: what is still to come when the run ends. */
  constructor(id: string, sink: RunSink, beforeEnd: () => Promise<unknown> = async () => {}) {
    this.id = id;
    this.#sink = sink;
    this.#beforeEnd = beforeEnd;
  }

  /** Logs numbers of one step, as metrics. */
  log(values: Record<string, number>, step?: number): void {
    this.#add(this.#entries(values, step, (key, value, at) => ({ kind: 'metric', key, value: loose(numeric(value)), ...at })));
  }

  /** Logs texts of one step: a sample of what a model writes, a note. Up to 1 MiB each. */
  strings(values: Record<string, string>, step?: number): void {
    this.#add(this.#entries(values, step, (key, value, at) => ({ kind: 'string', key, value: String(value), ...at })));
  }

  /** Logs histograms of one step; raw numbers are binned ({@link histogram}). */
  histograms(values: Record<string, Histogram | ArrayLike<number>>, step?: number): void {
    const entries = this.#entries(values, step, (key, value, at): SeriesEntry => {
      const { edges, counts } = 'edges' in value ? value : histogram(value);
      return { kind: 'histogram', key, edges: [...edges], counts: [...counts], ...at };
    });
    this.#add(entries);
  }

  /** Logs a file of one step under each key, such as a picture; stores its content first where it is given. */
  files(values: Record<string, FileOfStep>, step?: number): void {
    const entries = this.#entries(values, step, (key, { path, content }, at) => [{ kind: 'file', key, path, ...at } as const, content] as const);
    for (const [entry, content] of entries) {
      if (content === undefined) this.#add([entry]);
      else void this.store(entry.path, () => blobOf(content), [entry]);
    }
  }

  /**
   * Stores a file among the run's artifacts; one that is there is replaced.
   * @param path Relative, with slashes: `plots/roc.png`.
   * @returns When it is stored or given up (then it is counted in `dropped`); it never rejects and need not be awaited.
   */
  artifact(path: string, content: FileContent): Promise<void> {
    return this.store(path, () => blobOf(content));
  }

  #add(entries: Entry[]): void {
    if (this.#ended === undefined) this.#sink.add(entries);
    else if (entries[0] !== undefined) this.#sink.refuse(`${entries[0].kind} "${entries[0].key}"`, new Error('the run has ended'));
  }

  protected store(path: string, open: () => Blob | Promise<Blob>, after?: SeriesEntry[]): Promise<void> {
    const { promise: opened, resolve } = Promise.withResolvers<void>();
    const work = async (ended: boolean): Promise<void> => {
      let stored: Promise<void> | undefined;
      try {
        if (ended) throw new Error('the run has ended');
        stored = this.#sink.put(path, await open(), after);
      } catch (error) {
        this.#sink.refuse(`artifact "${path}"`, error);
      } finally {
        this.#opening.delete(opened);
        resolve();
      }
      await stored;
    };
    this.#opening.add(opened);
    return work(this.#ended !== undefined);
  }

  /** Logs params; MLflow's rule holds: one that is set cannot be changed. */
  params(params: Record<string, string | number | boolean>): void {
    this.#add(Object.entries(params ?? {}).map(([key, value]) => ({ kind: 'param', key, value: String(value) })));
  }

  /** Sets tags; the last value counts. */
  tags(tags: Record<string, string>): void {
    this.#add(Object.entries(tags ?? {}).map(([key, value]) => ({ kind: 'tag', key, value: String(value) })));
  }

  /** Marks the run as failed; it still ends at the end of its scope. */
  fail(): void {
    this.#status = 'FAILED';
  }

  /** Entries and artifacts that were given up: refused by the server, or not answered for too long. */
  get dropped(): number {
    return this.#sink.dropped;
  }

  /** Sends what is waiting. Resolves when it is durable (on the server; offline, on the disk), or kept for the next try. */
  async flush(): Promise<void> {
    await Promise.all(this.#opening);
    await this.#sink.flush();
  }

  /**
   * Sends the rest and ends the run; never throws. While the server does not answer it tries again for `endTimeoutMs`; what is left then is
   * lost, and told. Safe to call twice.
   */
  end(status: EndStatus = this.#status): Promise<void> {
    this.#ended ??= this.#end(status, Date.now());
    return this.#ended;
  }

  async #end(status: EndStatus, endedAt: number): Promise<void> {
    await Promise.all([...this.#opening, this.#beforeEnd()]);
    await this.#sink.end(status, endedAt);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  /** One thing for each value of a step; a bad one is told and left out. */
  #entries<T, R>(values: Record<string, T>, given: number | undefined, make: (key: string, value: T, at: { step: number; timestamp: number }) => R): R[] {
    const step = given ?? this.#step;
    const timestamp = Date.now();
    const entries: R[] = [];
    for (const [key, value] of Object.entries(values ?? {})) {
      try {
        if (!Number.isFinite(step)) throw new TypeError(`a step is a finite number, not ${step}`);
        entries.push(make(key, value, { step, timestamp }));
      } catch (error) {
        this.#sink.refuse(`value of "${key}"`, error);
      }
    }
    if (Number.isFinite(step)) this.#step = Math.floor(step) + 1;
    return entries;
  }
}

/** Other types are a mistake that would be hidden as NaN. */
function numeric(value: unknown): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new TypeError(`a metric is a number, not ${typeof value}`);
  return Number(value);
}

const blobOf = (content: FileContent): Blob => (content instanceof Blob ? content : new Blob([content]));

/** What a run begins with, as the server takes it. */
export function createRunBody(options: RunOptions, startedAt: number): CreateRun {
  const { name, user, runId, fork } = options;
  return {
    experiment: options.experiment ?? 'Default',
    startedAt,
    tags: options.tags ?? {},
    params: Object.fromEntries(Object.entries(options.params ?? {}).map(([key, value]) => [key, String(value)])),
    ...(name === undefined ? {} : { name }),
    ...(user === undefined ? {} : { user }),
    ...(runId === undefined ? {} : { runId }),
    ...(fork === undefined ? {} : { fork }),
  };
}

/** Starts a run on a server and returns where its entries go. Throws BinnacleApiError when the server does not answer. */
export async function openHttpSink(options: StartRunOptions): Promise<{ id: string; sink: RunSink }> {
  const client = createClient(options);
  const signal = AbortSignal.timeout(options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS);
  const run = await client.call('createRun', { body: createRunBody(options, Date.now()), signal });
  return { id: run.id, sink: new HttpSink(client, run, options, reporter(run.id, options.onError)) };
}

/** Starts a run. Throws BinnacleApiError when the server does not answer: a training that cannot log should say so at its start. */
export async function startRun(options: StartRunOptions): Promise<RunLogger> {
  const { id, sink } = await openHttpSink(options);
  return new RunLogger(id, sink);
}
