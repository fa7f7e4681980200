import type { Batching } from '@binnacle/contract';
import { BinnacleError, unavailable } from '../../kernel/index.ts';
import type { RunCall, RunMarks } from '../model-runtime.port.ts';
import { releaseMerged, shareOutputs } from '../release.ts';
import { concatRows, rowsOf, splitRows } from '../rows.ts';
import type { Tensor } from '../tensor.ts';
import { type FormingOptions, formBatch } from './batch-former.ts';
import type { Executor } from './executor.ts';
import { EndpointLimits } from './endpoint-limits.ts';
import { ReplyOrder } from './reply-order.ts';
import { RequestQueue } from './request-queue.ts';
import { systemTicker, type Ticker } from './ticker.ts';
import type { Waiting } from './waiting.ts';

/** Synchronous work at a stretch before the event loop gets a turn, milliseconds. */
const MAX_BLOCK_MS = 5;
/** Work of one merged run on the main thread, so that it never holds the event loop for long, microseconds. */
const INLINE_RUN_MICROS = 2000;
const WORKER_ROWS = 64;

export interface SchedulerOptions {
  batching?: Batching | undefined;
  /** What the versions of an endpoint share; none by default. */
  limits?: EndpointLimits | undefined;
  ticker?: Ticker | undefined;
}

/** Of one run, on the ticker's clock: when it began, and when the inputs of its requests were put together. */
interface RunTimes {
  started: number;
  gathered: number;
  marks: RunMarks;
}

/**
 * The queue in front of a model, for one user of it. The requests of one turn of the event loop run together: a run of 30 rows costs a
 * tiny model about as much as a run of one. A request waits for a free place, and for later ones only where a delay is configured. When a
 * merged run fails, each request runs alone, so that nobody pays for a neighbour's bad input.
 */
export class Scheduler {
  readonly #executor: Executor;
  readonly #limits: EndpointLimits;
  readonly #ticker: Ticker;
  readonly #queue: RequestQueue;
  readonly #forming: FormingOptions;
  #batching: Batching;
  #order: ReplyOrder | undefined;
  /** Set once an output's first dimension turned out not to be the batch. */
  #unmergeable = false;
  #running = 0;
  #scheduled = false;
  #closing = false;
  /** Those of this turn that bring a call, whose signal is only listened to when they must wait. */
  #fresh: Waiting[] = [];
  #timer: { at: number; cancel: () => void } | undefined;
  #idle: (() => void)[] = [];
  readonly #wake = (): void => this.#flush();

  constructor(executor: Executor, options: SchedulerOptions = {}) {
    this.#executor = executor;
    this.#limits = options.limits ?? new EndpointLimits();
    this.#ticker = options.ticker ?? systemTicker;
    this.#batching = options.batching ?? {};
    this.#queue = new RequestQueue(this.#batching);
    this.#forming = { maxRows: 1, maxRequests: 1, preferredRows: [], delayMs: 0, places: 1, worthRows: 1 };
    this.#apply();
  }

  /** Takes effect at once, for those who wait too. */
  configure(batching: Batching = {}): void {
    this.#batching = batching;
    this.#queue.configure(batching);
    this.#apply();
    this.#schedule();
  }

  #apply(): void {
    const { tier, runMicros, rowMicros } = this.#executor.model;
    const { maxRows, preferredRows, maxQueueDelayMicros, preserveOrdering } = this.#batching;
    const inlineRows = Math.min(1024, Math.max(8, Math.floor(INLINE_RUN_MICROS / Math.max(rowMicros, 0.5))));
    this.#forming.maxRows = maxRows ?? (tier === 'inline' && Number.isFinite(inlineRows) ? inlineRows : WORKER_ROWS);
    this.#forming.preferredRows = (preferredRows ?? []).filter((rows) => rows <= this.#forming.maxRows).sort((a, b) => a - b);
    this.#forming.delayMs = (maxQueueDelayMicros ?? 0) / 1000;
    // Below this many rows the start of a run costs more than its rows, and sharing them out would gain nothing.
    const worth = Math.ceil((runMicros - rowMicros) / rowMicros);
    this.#forming.worthRows = Number.isFinite(worth) ? Math.max(1, worth) : this.#forming.maxRows;
    this.#order = preserveOrdering === true ? (this.#order ?? new ReplyOrder()) : undefined;
  }

  get waiting(): number {
    return this.#queue.size;
  }
  get running(): number {
    return this.#running;
  }
  get pending(): number {
    return this.#queue.size + this.#running;
  }

  /** Whether requests are run together now, and why. */
  get merging(): { merging: boolean; why: string } {
    const { gain, model } = this.#executor;
    if (!model.batchable) return { merging: false, why: gain.why };
    if (this.#unmergeable) return { merging: false, why: 'An output did not have a row for each row put in.' };
    if (this.#batching.enabled === 'off') return { merging: false, why: 'Batching is switched off.' };
    if (this.#batching.enabled === 'on') return { merging: true, why: 'Batching is switched on.' };
    return { merging: gain.merging, why: gain.why };
  }

  #mayMerge(): boolean {
    return this.#executor.model.batchable && !this.#unmergeable && this.#batching.enabled !== 'off';
  }

  /** `inputs` have been checked. Rejects with `exhausted` (queue_full) or `unavailable` (queue_timeout, cancelled), or as the run does. */
  submit(inputs: Tensor[], outputs: string[], call?: RunCall): Promise<Tensor[]> {
    return new Promise((resolve, reject) => {
      const own = call !== undefined && (call.sequence !== undefined || (call.parameters !== undefined && this.#executor.model.usesParameters === true));
      const waiting: Waiting = {
        inputs,
        outputs,
        rows: own || !this.#mayMerge() ? 0 : rowsOf(inputs),
        call,
        since: this.#ticker.now(),
        deadline: Number.POSITIVE_INFINITY,
        state: 'waiting',
        inTurn: undefined,
        unlisten: undefined,
        resolve,
        reject,
      };
      const refusal = this.#limits.refusal ?? this.#queue.add(waiting);
      if (refusal !== undefined) return reject(refusal);
      this.#limits.pending++;
      if (this.#order !== undefined) waiting.inTurn = this.#order.enter();
      if (call !== undefined) this.#fresh.push(waiting);
      this.#schedule();
    });
  }

  /** Resolves once nothing waits or runs; nobody is kept waiting for others any more. */
  async drained(): Promise<void> {
    this.#closing = true;
    this.#schedule();
    while (this.pending > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#ticker.soon(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const started = this.#ticker.now();
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const waiting of this.#queue.expire(started)) this.#settle(waiting, expired());
    // A run of microseconds is cheaper than asking whether somebody still wants it.
    if (this.#executor.model.tier !== 'inline') this.#listen();
    while (this.#queue.size > 0) {
      const full = [this.#executor.places, this.#limits.places].find((places) => places.free <= 0);
      if (full !== undefined) {
        full.whenFree(this.#wake);
        break;
      }
      const group = this.#next();
      if (typeof group === 'number') {
        wakeAt = group;
        break;
      }
      this.#run(group);
      if (this.#queue.size > 0 && this.#ticker.now() - started > MAX_BLOCK_MS) {
        this.#schedule();
        break;
      }
    }
    this.#listen();
    this.#wakeAt(Math.min(wakeAt, this.#queue.nextDeadline));
    this.#checkIdle();
  }

  #next(): Waiting[] | number {
    const now = this.#ticker.now();
    const { gain, places } = this.#executor;
    const forced = this.#batching.enabled === 'on';
    const trial = this.#queue.size > 1 && !forced && gain.tries(now);
    const merging = this.#mayMerge() && (forced || gain.merging !== trial);
    const forming = this.#forming;
    forming.maxRequests = merging ? this.#limits.places.free : 1;
    forming.places = places.free;
    const delay = forming.delayMs;
    // Where merging gains nothing, waiting for others gains nothing either.
    if (!merging || trial || this.#closing) forming.delayMs = 0;
    const group = formBatch(this.#queue, now, forming);
    forming.delayMs = delay;
    return group;
  }

  #run(group: Waiting[]): void {
    const { model, gain } = this.#executor;
    const started = this.#ticker.now();
    for (const waiting of group) {
      this.#queue.leave(waiting, 'taken');
      waiting.unlisten?.();
      waiting.unlisten = undefined;
    }
    const head = group[0] as Waiting;
    // Only where there was a choice is it a sample of what merging gains.
    const chosen = group.length > 1 || this.#queue.size > 0;
    let rows = head.rows;
    // When it reached the runtime, and left it.
    const marks: RunMarks = { called: 0, returned: 0 };
    let gathered = started;
    let result: Tensor[] | Promise<Tensor[]>;
    let shared: ReturnType<typeof callOf>;
    let merged: Tensor[] = [];
    try {
      if (group.length === 1) result = model.execute(head.inputs, head.outputs, head.call, marks);
      else {
        merged = concatRows(group.map((waiting) => waiting.inputs));
        rows = merged[0]?.shape[0] ?? 0;
        gathered = this.#ticker.now();
        shared = model.endsOnAbort === true ? callOf(group) : undefined;
        result = model.execute(merged, head.outputs, shared?.call, marks);
      }
    } catch (error) {
      shared?.unlisten();
      this.#failed(group, error);
      return;
    }
    if (result instanceof Promise) {
      if (shared !== undefined) result = result.finally(shared.unlisten);
      void this.#later(group, merged, result, rows, { started, gathered, marks }, chosen);
      return;
    }
    shared?.unlisten();
    releaseMerged(merged, result);
    this.#answered(group, result, rows, { started, gathered, marks });
    if (chosen) gain.record(group.length, rows, (this.#ticker.now() - started) * 1000, started);
  }

  async #later(group: Waiting[], merged: readonly Tensor[], result: Promise<Tensor[]>, rows: number, times: RunTimes, chosen: boolean): Promise<void> {
    this.#running += group.length;
    this.#executor.places.take();
    this.#limits.places.take(group.length);
    try {
      const outputs = await result;
      this.#running -= group.length;
      releaseMerged(merged, outputs);
      this.#answered(group, outputs, rows, times);
      const { started } = times;
      if (chosen) this.#executor.gain.record(group.length, rows, (this.#ticker.now() - started) * 1000, started);
    } catch (error) {
      this.#running -= group.length;
      this.#failed(group, error);
    }
    if (this.#queue.size > 0) this.#executor.places.whenFree(this.#wake);
    this.#executor.places.give();
    this.#limits.places.give(group.length);
    this.#checkIdle();
  }

  #answered(group: Waiting[], outputs: Tensor[], rows: number, { started, gathered, marks }: RunTimes): void {
    const ran = this.#ticker.now();
    let parts: Tensor[][] | undefined;
    if (group.length > 1) {
      parts = splitRows(
        outputs,
        group.map((waiting) => waiting.rows),
      );
      if (parts === undefined) {
        this.#unmergeable = true;
        this.#alone(group);
        return;
      }
      shareOutputs(outputs, parts);
    }
    const end = group.length > 1 ? this.#ticker.now() : ran;
    const called = marks.called === 0 ? gathered : marks.called;
    const returned = marks.returned === 0 ? ran : marks.returned;
    for (let i = 0; i < group.length; i++) {
      const waiting = group[i] as Waiting;
      const timing = waiting.call?.timing;
      if (timing !== undefined) {
        timing.queue = (started - waiting.since) * 1000;
        timing.input = (called - started) * 1000;
        timing.infer = (returned - called) * 1000;
        timing.output = (end - returned) * 1000;
        timing.batchRows = rows === 0 ? (waiting.inputs[0]?.shape[0] ?? 1) : rows;
        timing.executions = i === 0 ? 1 : 0;
      }
      this.#settle(waiting, undefined, parts === undefined ? outputs : parts[i]);
    }
  }

  #failed(group: Waiting[], error: unknown): void {
    const head = group[0] as Waiting;
    // A server elsewhere that is away is as far away for each of them.
    const away = this.#executor.model.tier === 'remote' && error instanceof BinnacleError && error.kind === 'unavailable';
    if (group.length > 1 && away) for (const waiting of group) this.#settle(waiting, error);
    else if (group.length > 1) this.#alone(group);
    else this.#settle(head, head.call?.signal?.aborted === true ? cancelled() : error);
  }

  #alone(group: Waiting[]): void {
    const left: Waiting[] = [];
    for (const waiting of group) {
      waiting.rows = 0;
      if (waiting.call?.signal?.aborted === true) this.#settle(waiting, cancelled());
      else left.push(waiting);
    }
    this.#queue.putBack(left);
    for (const waiting of left) if (waiting.call !== undefined) this.#fresh.push(waiting);
    this.#schedule();
  }

  #settle(waiting: Waiting, error: unknown, outputs: Tensor[] = []): void {
    const { resolve, reject, inTurn } = waiting;
    this.#limits.pending--;
    waiting.unlisten?.();
    if (inTurn !== undefined) inTurn(() => (error === undefined ? resolve(outputs) : reject(error)));
    else if (error === undefined) resolve(outputs);
    else reject(error);
  }

  /** Those who have to wait leave as soon as their client does. */
  #listen(): void {
    if (this.#fresh.length === 0) return;
    for (const waiting of this.#fresh) {
      const signal = waiting.state === 'waiting' ? waiting.call?.signal : undefined;
      if (signal === undefined) continue;
      const leave = (): void => {
        if (waiting.state !== 'waiting') return;
        this.#queue.leave(waiting, 'gone');
        this.#settle(waiting, cancelled());
        this.#checkIdle();
      };
      if (signal.aborted) leave();
      else {
        signal.addEventListener('abort', leave, { once: true });
        waiting.unlisten = () => signal.removeEventListener('abort', leave);
      }
    }
    this.#fresh.length = 0;
  }

  #wakeAt(at: number): void {
    if (at === Number.POSITIVE_INFINITY || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#timer?.cancel();
    const cancel = this.#ticker.later(
      () => {
        this.#timer = undefined;
        this.#flush();
      },
      Math.max(0, at - this.#ticker.now()),
    );
    this.#timer = { at, cancel };
  }

  #checkIdle(): void {
    if (this.#idle.length > 0 && this.pending === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** Triton's words; clients test for them. */
const expired = () => unavailable('queue_timeout', 'Request timeout expired');
const cancelled = () => unavailable('cancelled', 'The request was cancelled.');

/** A merged run ends once nobody waits for it any more. Those of one stream share a signal. `unlisten` is to be called once it is over: streams last. */
function callOf(group: readonly Waiting[]): { call: RunCall; unlisten(): void } | undefined {
  const signals = new Set<AbortSignal>();
  for (const { call } of group) {
    if (call?.signal === undefined) return undefined;
    signals.add(call.signal);
  }
  const all = new AbortController();
  let left = signals.size;
  const gone = (): void => {
    if (--left === 0) all.abort();
  };
  for (const signal of signals) {
    if (signal.aborted) gone();
    else signal.addEventListener('abort', gone, { once: true });
  }
  return {
    call: { signal: all.signal },
    unlisten() {
      for (const signal of signals) signal.removeEventListener('abort', gone);
    },
  };
}
