import type { Client } from './client.ts';
import { artifactRootOf, deliver, isFinal, isUnreadable, logEntries, transferMs, uploadArtifact } from './delivery.ts';
import { type EndStatus, ENTRIES_A_REQUEST, type Entry, fitting, isText, lengthOf, type SeriesEntry, type TextEntry } from './entries.ts';
import type { Reporter } from './reporter.ts';
import { retryAfterOf, until } from './retry.ts';
import type { RunSink } from './run-sink.ts';

/** How a run is sent. */
export interface SendOptions {
  /** Milliseconds between two sends; 1000 by default. */
  flushIntervalMs?: number;
  /**
   * Points kept while the server does not answer; the oldest go first beyond it. 100,000 by default. A long string or histogram counts as a
   * point for each 1,000 characters.
   */
  maxBuffered?: number;
  /** Bytes of artifacts kept while they wait to be sent; a further one is refused beyond it. 1 GiB by default. */
  maxBufferedBytes?: number;
  /** Milliseconds after which a request without an answer is given up and tried again; 30,000 by default. An upload gets more by its size. */
  requestTimeoutMs?: number;
  /** Milliseconds for which `end` goes on trying to send the rest; 60,000 by default. What is left then is lost and counted in `dropped`. */
  endTimeoutMs?: number;
}

export const REQUEST_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 60_000;
const MAX_BUFFERED = 100_000;
const MAX_BUFFERED_BYTES = 2 ** 30;

interface Upload {
  path: string;
  content: Blob;
  /** The server takes them only when the artifact is there. */
  after: readonly Entry[];
  settled(): void;
}
const weightOf = (entry: SeriesEntry): number => (entry.kind === 'metric' ? 1 : Math.ceil(lengthOf(entry) / 1000));

/** Sends a run to a server: entries in batches at an interval, artifacts one after another beside them; what gets no answer is sent again. */
export class HttpSink implements RunSink {
  readonly #client: Client;
  readonly #runId: string;
  readonly #options: SendOptions;
  readonly #report: Reporter;
  readonly #timer: ReturnType<typeof setInterval>;
  #root: string | undefined;
  #series: SeriesEntry[] = [];
  #weight = 0;
  /** Params and tags; the last value counts. */
  readonly #texts = new Map<string, TextEntry>();
  readonly #uploads: Upload[] = [];
  #sending: Promise<void> | undefined;
  #uploading: Promise<void> | undefined;
  #dropped = 0;
  /** Seconds that the server asked to wait. */
  #retryAfter = 0;

  constructor(client: Client, run: { id: string; artifactUri?: string }, options: SendOptions, report: Reporter) {
    this.#client = client;
    this.#runId = run.id;
    this.#root = run.artifactUri === undefined ? undefined : artifactRootOf(run.artifactUri);
    this.#options = options;
    this.#report = report;
    this.#timer = setInterval(() => void this.flush(), options.flushIntervalMs ?? 1000);
    // A forgotten run must not keep the process alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (isText(entry)) this.#texts.set(`${entry.kind} ${entry.key}`, entry);
      else {
        this.#series.push(entry);
        this.#weight += weightOf(entry);
      }
    }
    this.#bound();
    if (this.#series.length >= ENTRIES_A_REQUEST) void this.flush();
  }

  #bound(): void {
    const most = this.#options.maxBuffered ?? MAX_BUFFERED;
    let over = 0;
    while (this.#weight > most && over < this.#series.length) this.#weight -= weightOf(this.#series[over++] as SeriesEntry);
    if (over === 0) return;
    this.#series.splice(0, over);
    this.#dropped += over;
  }

  put(path: string, content: Blob, after: readonly Entry[] = []): Promise<void> {
    const waiting = this.#uploads.reduce((sum, upload) => sum + upload.content.size, 0);
    const most = this.#options.maxBufferedBytes ?? MAX_BUFFERED_BYTES;
    if (waiting > 0 && waiting + content.size > most) {
      this.#dropped += after.length;
      this.refuse(`artifact "${path}"`, new Error(`${waiting} bytes of artifacts wait already, the most is ${most}`));
      return Promise.resolve();
    }
    return new Promise((settled) => {
      this.#uploads.push({ path, content, after, settled });
      void this.#upload();
    });
  }

  refuse(what: string, error: unknown): void {
    this.#dropped++;
    this.#report(what, error, `: the ${what} cannot be logged`, 'it is left out');
  }

  async flush(signal?: AbortSignal): Promise<void> {
    const uploads = this.#uploads.length > 0;
    await Promise.all([this.#sendNext(signal), this.#upload(signal)]);
    // Entries that waited for their artifact.
    if (uploads) await this.#sendNext(signal);
  }

  async #sendNext(signal?: AbortSignal): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
    this.#sending = this.#send(signal).finally(() => {
      this.#sending = undefined;
    });
    await this.#sending;
  }

  async #send(signal?: AbortSignal): Promise<void> {
    while (this.#series.length > 0 || this.#texts.size > 0) {
      const { unsent, error } = await deliver(
        (entries) => logEntries(this.#client, this.#runId, entries, this.#signal(signal)),
        this.#take(),
        (unit, why) => this.#giveUp(unit, why),
      );
      if (unsent.length === 0) continue;
      this.#putBack(unsent);
      this.#report('network', error, 'could not be logged', 'trying on');
      this.#retryAfter = retryAfterOf(error);
      return;
    }
  }

  #take(): Entry[] {
    const series = this.#series.splice(0, fitting(this.#series));
    for (const entry of series) this.#weight -= weightOf(entry);
    const texts = [...this.#texts.values()];
    this.#texts.clear();
    return [...series, ...texts];
  }

  #putBack(entries: Entry[]): void {
    const series: SeriesEntry[] = [];
    for (const entry of entries) {
      if (!isText(entry)) series.push(entry);
      // What was set meanwhile is newer.
      else if (!this.#texts.has(`${entry.kind} ${entry.key}`)) this.#texts.set(`${entry.kind} ${entry.key}`, entry);
    }
    this.#series = [...series, ...this.#series];
    for (const entry of series) this.#weight += weightOf(entry);
    this.#bound();
  }

  /** Sends the artifacts that wait, one after another, up to the first that gets no answer. */
  async #upload(signal?: AbortSignal): Promise<void> {
    this.#uploading ??= this.#uploadAll(signal).finally(() => {
      this.#uploading = undefined;
    });
    await this.#uploading;
  }

  async #uploadAll(end?: AbortSignal): Promise<void> {
    for (let upload = this.#uploads[0]; upload !== undefined; upload = this.#uploads[0]) {
      const { path, content, after } = upload;
      try {
        const root = (this.#root ??= artifactRootOf(
          (await this.#client.call('getRun', { params: { runId: this.#runId }, signal: this.#signal(end) })).artifactUri,
        ));
        await uploadArtifact(this.#client, root, path, content, { signal: this.#signal(end, transferMs(content.size)) });
        this.add(after);
      } catch (error) {
        if (!isFinal(error) && !isUnreadable(error)) {
          this.#report('network', error, 'could not be logged', 'trying on');
          this.#retryAfter = retryAfterOf(error);
          return;
        }
        this.#dropped += after.length;
        this.refuse(`artifact "${path}"`, error);
      }
      this.#uploads.shift();
      upload.settled();
    }
  }

  #signal(end?: AbortSignal, more = 0): AbortSignal {
    const own = AbortSignal.timeout(Math.ceil(this.#options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS) + more);
    return end === undefined ? own : AbortSignal.any([own, end]);
  }

  #giveUp(unit: Entry[], error: unknown): void {
    this.#dropped += unit.length;
    const { kind, key } = unit[0] as Entry;
    this.#report(`${kind} ${key}`, error, `: the server refuses the ${kind} "${key}"`, 'it is left out');
  }

  get #waiting(): number {
    return this.#series.length + this.#texts.size + this.#uploads.length;
  }

  async end(status: EndStatus, endedAt: number): Promise<void> {
    clearInterval(this.#timer);
    const bytes = this.#uploads.reduce((sum, { content }) => sum + content.size, 0);
    const limit = Math.ceil((this.#options.endTimeoutMs ?? END_TIMEOUT_MS) + transferMs(bytes));
    const signal = AbortSignal.timeout(limit);
    const deadline = Date.now() + limit;
    await until(deadline, async () => {
      this.#retryAfter = 0;
      await this.flush(signal);
      return this.#waiting === 0 ? 'done' : this.#retryAfter;
    });
    if (this.#waiting > 0) this.#lose(limit);
    await until(deadline, async () => {
      try {
        await this.#client.call('updateRun', { params: { runId: this.#runId }, body: { status, endedAt }, signal: this.#signal(signal) });
        return 'done';
      } catch (error) {
        const final = isFinal(error) || signal.aborted;
        this.#report(final ? 'end' : 'network', error, `could not be ended as ${status}`, final ? 'it stays as it is' : 'trying on');
        return final ? 'done' : retryAfterOf(error);
      }
    });
  }

  #lose(limit: number): void {
    const lost = this.#uploads.reduce((sum, { after }) => sum + after.length, this.#waiting);
    this.#dropped += lost;
    this.#series = [];
    this.#weight = 0;
    this.#texts.clear();
    for (const { settled } of this.#uploads.splice(0)) settled();
    this.#report('lost', new Error(`${lost} values were not taken within ${limit} ms`), 'is not complete', 'they are lost');
  }
}
