import type { Client } from '../client.ts';
import type { EndStatus, Entry } from '../entries.ts';
import type { SendOptions } from '../http-sink.ts';
import type { Reporter } from '../reporter.ts';
import { retryAfterOf, until } from '../retry.ts';
import type { RunSink } from '../run-sink.ts';
import type { FileSink } from './file-sink.ts';
import { RunSync } from './run-sync.ts';
import { isAway } from './sync.ts';

const END_TIMEOUT_MS = 60_000;

/** Records a run in a folder and sends the record along; what the server was not there for stays in the folder. */
export class AutoSink implements RunSink {
  readonly #record: FileSink;
  readonly #sync: RunSync;
  readonly #options: SendOptions;
  readonly #report: Reporter;
  readonly #timer: ReturnType<typeof setInterval>;
  #told = 0;
  /** The server has the run as ended. */
  #done = false;
  #sending: Promise<'done' | number> | undefined;

  constructor(record: FileSink, client: Client, options: SendOptions, report: Reporter) {
    this.#record = record;
    this.#sync = new RunSync(record.folder, client);
    this.#options = options;
    this.#report = report;
    this.#timer = setInterval(() => void this.#send(), options.flushIntervalMs ?? 1000);
    this.#timer.unref();
    void this.#send();
  }

  get dropped(): number {
    return this.#record.dropped + this.#sync.refusals;
  }
  add(entries: readonly Entry[]): void {
    this.#record.add(entries);
  }
  put(path: string, content: Blob, after?: readonly Entry[]): Promise<void> {
    return this.#record.put(path, content, after);
  }
  refuse(what: string, error: unknown): void {
    this.#record.refuse(what, error);
  }

  /** On the disk is safe; the server gets it when it is there. */
  async flush(): Promise<void> {
    await this.#record.flush();
    // A pass under way may have begun before.
    await this.#sending;
    await this.#send();
  }

  /** One pass at a time. Resolves to 'done' when there was an answer. */
  #send(): Promise<'done' | number> {
    this.#sending ??= this.#advance().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #advance(): Promise<'done' | number> {
    if (this.#done) return 'done';
    try {
      const { refused, state } = await this.#sync.advance();
      for (const { what, message } of refused.slice(this.#told)) this.#report(what, new Error(message), `: the server refuses the ${what}`, 'it is left out');
      this.#told = refused.length;
      this.#done = state !== 'open';
      return 'done';
    } catch (error) {
      this.#report('network', error, 'could not be sent', `it is in ${this.#record.folder}`);
      return isAway(error) ? retryAfterOf(error) : 'done';
    }
  }

  async end(status: EndStatus, endedAt: number): Promise<void> {
    clearInterval(this.#timer);
    await this.#record.end(status, endedAt);
    // The pass under way may have begun before the end was written.
    await this.#sending;
    const limit = this.#options.endTimeoutMs ?? END_TIMEOUT_MS;
    const sent = await until(Date.now() + limit, () => this.#send());
    if (!sent) this.#report('kept', new Error('the server did not answer'), 'is not sent', `it is kept: binnacle sync ${this.#record.folder}`);
  }
}
