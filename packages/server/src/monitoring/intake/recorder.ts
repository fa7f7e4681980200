import type { Logger } from '../../kernel/index.ts';
import type { CountedRequest, FailedRequest, PredictionBatch, PredictionSink } from '../../serving/index.ts';
import type { IntakeLedger } from '../intake-ledger.port.ts';
import type { ActivityDelta, MonitoringStore } from '../monitoring-store.port.ts';
import { LOG_NUMBERS, type LogRows, LogRowsBuilder } from '../log-rows.ts';
import type { PredictionLog } from '../prediction-log.port.ts';
import { hash32 } from '../profile/index.ts';
import type { StoredSource } from '../types.ts';
import { Accumulators } from './accumulator.ts';
import { addRows, bucketStart, eventTime } from './batch-rows.ts';
import { Delivery } from './delivery.ts';
import { type Description, IntakeContext, putFeatures } from './intake-context.ts';
import { RequestCounters } from './request-counters.ts';
import { outcome } from './roles.ts';

export interface RecorderOptions {
  store: MonitoringStore;
  log: PredictionLog;
  ledger: IntakeLedger;
  logger: Logger;
  /** Settings and baseline of an endpoint's version; asked once, then again after `forget`. */
  describe(batch: Pick<PredictionBatch, 'endpoint' | 'model' | 'version'>): Promise<Description>;
  limits?: Partial<typeof LIMITS>;
}

const LIMITS = {
  /** Rows waiting before rows are left out of the log, and before they are left out of the profile as well. Counts are never left out. */
  logRows: 50_000,
  profileRows: 100_000,
  /** Milliseconds of work before other work gets its turn. */
  sliceMs: 2,
  flushMs: 500,
  /**
   * Rows, and bytes of their texts, that go to the log before the flush. More would spare transactions, but keep the log's thread at it for so long
   * that, on one core, the requests of that time show in the 99th percentile.
   */
  logRowsAtOnce: 1000,
  logBytesAtOnce: 4 * 1024 * 1024,
  /** Five-minute buckets that bring the flush forward: its transaction holds the store's writer for some twenty milliseconds. */
  flushBuckets: 500,
};
/** Rows of one batch between two looks at the clock. */
const RUN = 256;

interface Work {
  batch: PredictionBatch;
  /** The next row. */
  at: number;
  /** Left out under overload. */
  skip: 'nothing' | 'log' | 'rows';
}

/**
 * Takes every prediction off the hot path: `record` appends a reference; slices of at most two milliseconds between other work add it to
 * the profiles of its five minutes and to the log's next rows; every half second all is written, to the log first. A crash takes at most
 * that much: what the log has and the profiles lack is added to them by the next start (recovery.ts), and the ledger tells how much is lost.
 */
export class Recorder implements PredictionSink {
  readonly requests = new RequestCounters();
  readonly #options: RecorderOptions;
  readonly #limits: typeof LIMITS;
  #queue: Work[] = [];
  #head = 0;
  #queuedRows = 0;
  #scheduled = false;
  readonly #contexts = new Map<string, IntakeContext | 'loading'>();
  readonly #waiting = new Map<string, Work[]>();
  #buckets = new Accumulators();
  #activity = new Map<string, ActivityDelta>();
  readonly #rows = new LogRowsBuilder();
  readonly #delivery: Delivery;
  readonly #recorded = new Map<string, number>();
  readonly #accounted = new Map<string, number>();
  readonly #unmarked = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #due = false;
  #loads = new Set<Promise<void>>();
  #closed = false;
  /** Rows left out of the log, by endpoint, since the start. */
  readonly dropped = new Map<string, number>();
  /** Grows with every flush that wrote something. */
  revision = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#delivery = new Delivery(options, ({ rows, numbers, contexts }: LogRows) => {
      for (let row = 0; row < rows; row++) this.#drop(contexts[numbers[row * LOG_NUMBERS] as number]?.endpoint ?? '', 1);
    });
  }

  record(batch: PredictionBatch): void {
    if (this.#closed) return;
    const skip = this.#queuedRows > this.#limits.profileRows ? 'rows' : this.#queuedRows > this.#limits.logRows ? 'log' : 'nothing';
    this.#recorded.set(batch.endpoint, (this.#recorded.get(batch.endpoint) ?? 0) + batch.rows);
    this.#unmarked.add(batch.endpoint);
    this.requests.answered(batch);
    if (skip === 'rows') {
      // What is counted only need not wait, and must hold no memory.
      this.#count(batch, 0, batch.rows, undefined);
      this.#drop(batch.endpoint, batch.rows);
      this.#schedule();
      return;
    }
    this.#queuedRows += batch.rows;
    this.#queue.push({ batch, at: 0, skip });
    this.#schedule();
  }

  recordCount(request: CountedRequest): void {
    if (this.#closed) return;
    this.requests.counted(request);
    const { endpoint, model, version, at } = request;
    const bucket = this.#buckets.get({ endpoint, model, version, source: 'live' }, bucketStart(at), undefined);
    bucket.requests++;
    bucket.predictions += request.rows;
    bucket.addLatency(request.latencyMs);
    const activity = this.#activityOf(endpoint, model);
    activity.predictions += request.rows;
    activity.lastReceivedAt = Math.max(activity.lastReceivedAt, at);
    this.#touch();
  }

  recordFailure(failure: FailedRequest): void {
    if (this.#closed) return;
    this.requests.failed(failure);
    const { endpoint, model } = failure;
    const bucket = this.#buckets.get({ endpoint, model, version: failure.version ?? 0, source: 'live' }, bucketStart(failure.at), undefined);
    bucket.requests++;
    bucket.errors++;
    bucket.addLatency(failure.latencyMs);
    const activity = this.#activityOf(failure.endpoint, failure.model);
    activity.errors++;
    activity.lastReceivedAt = Math.max(activity.lastReceivedAt, failure.at);
    this.#touch();
  }

  /** Configuration or baseline have changed: later rows are read by the new ones. */
  forget(matches: (context: { endpoint: string; model: string; version: number }) => boolean): void {
    for (const [key, context] of this.#contexts) if (context !== 'loading' && matches(context)) this.#contexts.delete(key);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#mark();
      this.#work(performance.now() + this.#limits.sliceMs);
      if (this.#head < this.#queue.length) this.#schedule();
    });
  }

  #mark(): void {
    for (const endpoint of this.#unmarked) this.#options.ledger.mark(endpoint, this.#recorded.get(endpoint) ?? 0);
    this.#unmarked.clear();
  }

  #work(until: number): void {
    while (this.#head < this.#queue.length) {
      const work = this.#queue[this.#head] as Work;
      const context = this.#contextOf(work);
      if (context === undefined) {
        this.#head++;
        continue;
      }
      const to = Math.min(work.batch.rows, work.at + RUN);
      this.#take(work, context, work.at, to);
      this.#queuedRows -= to - work.at;
      work.at = to;
      if (to >= work.batch.rows) this.#head++;
      if (this.#buckets.size >= this.#limits.flushBuckets) this.#flushSoon();
      else if (this.#rows.rows >= this.#limits.logRowsAtOnce || this.#rows.bytes >= this.#limits.logBytesAtOnce) this.#rowsSoon();
      if (performance.now() >= until) break;
    }
    if (this.#head > 1024 || this.#head === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Undefined: it is being loaded, and the work waits apart. */
  #contextOf(work: Work): IntakeContext | undefined {
    const { batch } = work;
    const source: StoredSource = batch.shadow ? 'shadow' : batch.source;
    const key = `${source} ${batch.version} ${batch.endpoint} ${batch.model}`;
    const context = this.#contexts.get(key);
    if (context !== undefined && context !== 'loading') return context;
    this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), work]);
    if (context === undefined) {
      this.#contexts.set(key, 'loading');
      const load = this.#load(key, batch, source).finally(() => this.#loads.delete(load));
      this.#loads.add(load);
    }
    return undefined;
  }

  async #load(key: string, batch: PredictionBatch, source: StoredSource): Promise<void> {
    let context: IntakeContext;
    const { endpoint, model, version } = batch;
    try {
      context = new IntakeContext({ endpoint, model, version }, source, await this.#options.describe({ endpoint, model, version }));
      this.#contexts.set(key, context);
    } catch (err) {
      this.#options.logger.error({ err, endpoint, version }, 'the monitor of an endpoint cannot be read; its rows are counted only');
      this.#contexts.delete(key);
      for (const { batch: lost, at } of this.#waiting.get(key) ?? []) {
        this.#count(lost, at, lost.rows, undefined);
        this.#drop(lost.endpoint, lost.rows - at);
        this.#queuedRows -= lost.rows - at;
      }
      this.#waiting.delete(key);
      return;
    }
    this.#queue.push(...(this.#waiting.get(key) ?? []));
    this.#waiting.delete(key);
    this.#schedule();
  }

  #take(work: Work, context: IntakeContext, from: number, to: number): void {
    const { batch } = work;
    const { samplingFraction } = context.config;
    const sampled = batch.source === 'batch' || samplingFraction >= 1 || hash32(batch.requestId) < samplingFraction * 4294967296;
    this.#count(batch, from, to, sampled ? context : undefined);
    if (!sampled) return;
    // Also rows that are ready wait for the log, and a log that is too slow must not fill the memory.
    if (work.skip === 'nothing' && this.#rows.rows < this.#limits.profileRows) this.#log(batch, context, from, to);
    else this.#drop(batch.endpoint, to - from);
  }

  /** Adds rows to the buckets of their event times; with a context, to their profiles as well. */
  #count(batch: PredictionBatch, from: number, to: number, context: IntakeContext | undefined): void {
    const { endpoint, model, version } = batch;
    const key = { endpoint, model, version, source: batch.shadow ? ('shadow' as const) : batch.source };
    const activity = this.#activityOf(batch.endpoint, batch.model);
    const weight = batch.weight ?? 1;
    if (context !== undefined) context.prepareOutputs(batch.outputs);
    for (let run = from; run < to; ) {
      const at = eventTime(batch, run);
      const start = bucketStart(at);
      let end = to;
      let newest = at;
      let oldest = at;
      if (typeof batch.eventTime !== 'number') {
        for (end = run + 1; end < to; end++) {
          const time = eventTime(batch, end);
          if (bucketStart(time) !== start) break;
          newest = Math.max(newest, time);
          oldest = Math.min(oldest, time);
        }
      }
      const bucket = this.#buckets.get(key, start, context);
      if (run === 0) {
        bucket.requests++;
        if (batch.source === 'live') bucket.addLatency(batch.latencyMs);
      }
      const predictions = Math.round((end - run) * weight);
      bucket.predictions += predictions;
      if (!batch.shadow) {
        activity.predictions += predictions;
        activity.firstAt = Math.min(activity.firstAt ?? oldest, oldest);
        activity.lastAt = Math.max(activity.lastAt ?? newest, newest);
        if (batch.source === 'live') activity.watermark = Math.max(activity.watermark ?? newest, newest);
      }
      if (context !== undefined) addRows(bucket, context, batch, run, end);
      run = end;
    }
    activity.lastReceivedAt = Math.max(activity.lastReceivedAt, batch.receivedAt);
    this.#accounted.set(batch.endpoint, (this.#accounted.get(batch.endpoint) ?? 0) + to - from);
    activity.recorded = this.#accounted.get(batch.endpoint) ?? 0;
    this.#touch();
  }

  #log(batch: PredictionBatch, context: IntakeContext, from: number, to: number): void {
    const slots = context.featureSlots(batch.features);
    const { session } = this.#options.ledger;
    // These rows have been counted already: they are the last of what the endpoint has.
    const before = (this.#accounted.get(batch.endpoint) ?? 0) - to + 1;
    const rows = this.#rows;
    const shared = context.logContext(session, batch.weight ?? 1);
    for (let row = from; row < to; row++) {
      const { prediction, number, score } = outcome(context.roles, batch.outputs, row);
      rows.begin();
      rows.text(batch.requestId);
      rows.text(batch.predictionIds?.[row] ?? null);
      putFeatures(rows, context, slots, batch.features, row);
      rows.end();
      rows.text(prediction);
      rows.add(shared, before + row, row, eventTime(batch, row), batch.receivedAt, batch.latencyMs, number, score);
    }
  }

  #drop(endpoint: string, rows: number): void {
    this.dropped.set(endpoint, (this.dropped.get(endpoint) ?? 0) + rows);
    this.#activityOf(endpoint, '').dropped += rows;
  }

  #activityOf(endpoint: string, model: string): ActivityDelta {
    let activity = this.#activity.get(endpoint);
    if (activity === undefined) {
      activity = {
        endpoint,
        model,
        predictions: 0,
        errors: 0,
        dropped: 0,
        firstAt: null,
        lastAt: null,
        watermark: null,
        lastReceivedAt: 0,
        recorded: this.#accounted.get(endpoint) ?? 0,
      };
      this.#activity.set(endpoint, activity);
    }
    if (activity.model === '') activity.model = model;
    return activity;
  }

  #touch(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flushSoon();
    }, this.#limits.flushMs);
    this.#timer.unref();
  }

  /** A flush that falls due while something is being written follows it: the timer does not ask twice. */
  #flushSoon(): void {
    if (this.#flushing === undefined) this.#writing(this.#write());
    else this.#due = true;
  }

  /** The log's rows alone; what they add to the profiles is stored with the next flush. */
  #rowsSoon(): void {
    if (this.#flushing === undefined) this.#writing(this.#delivery.rows(this.#rows.take()));
  }

  #writing(work: Promise<void>): void {
    this.#flushing = work.finally(() => {
      this.#flushing = undefined;
      if (!this.#due) return;
      this.#due = false;
      this.#flushSoon();
    });
  }

  /** Everything recorded before the call is stored when it returns (or kept for the next try, if the store refuses). */
  async flush(): Promise<void> {
    while (this.#head < this.#queue.length || this.#loads.size > 0) {
      this.#mark();
      this.#work(performance.now() + this.#limits.sliceMs);
      await Promise.race([...this.#loads, new Promise((resolve) => setImmediate(resolve))]);
    }
    while (this.#flushing !== undefined) await this.#flushing;
    const last = this.#write();
    this.#writing(last);
    await last;
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [buckets, activity] = [this.#buckets, [...this.#activity.values()]];
    if (this.#rows.rows === 0 && buckets.size === 0 && activity.length === 0 && !this.#delivery.owes) return;
    const rows = this.#rows.take();
    this.#buckets = new Accumulators();
    this.#activity = new Map();
    await this.#delivery.rows(rows);
    if (!(await this.#delivery.counts(await buckets.deltas(), activity))) this.#touch();
    this.revision++;
  }

  async close(): Promise<void> {
    await this.flush();
    this.#closed = true;
    await this.flush();
    clearTimeout(this.#timer);
  }
}
