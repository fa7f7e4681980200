import type { Batching } from '@binnacle/contract';
import type { LoadedModel, RunCall, Tensor } from '../../src/serving/index.ts';
import { EndpointLimits } from '../../src/serving/scheduling/endpoint-limits.ts';
import { Executor } from '../../src/serving/scheduling/executor.ts';
import { Scheduler } from '../../src/serving/scheduling/scheduler.ts';
import type { Ticker } from '../../src/serving/scheduling/ticker.ts';

/** Time that passes only when it is told to. */
export class FakeTicker implements Ticker {
  #now = 1000;
  #soon: (() => void)[] = [];
  #timers: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }
  soon(callback: () => void): void {
    this.#soon.push(callback);
  }
  later(callback: () => void, ms: number): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  /** The end of a turn of the event loop, and what follows from it. */
  async turn(): Promise<void> {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    while (this.#soon.length > 0) {
      for (const callback of this.#soon.splice(0)) callback();
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
  }

  /** Runs the timers due on the way, in their order. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
      await this.turn();
    }
    this.#now = end;
    await this.turn();
  }

  /** Time that a synchronous run takes. */
  spend(ms: number): void {
    this.#now += ms;
  }
}

export interface Run {
  /** The first value of each row. */
  rows: number[];
  outputs: string[];
  call: RunCall | undefined;
  done(): void;
  fail(error: Error): void;
}

/** A model that doubles what it is given, whose runs end when the test says so. */
export class FakeModel implements LoadedModel {
  readonly inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 1] }];
  readonly outputs = [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 1] }];
  tier: LoadedModel['tier'] = 'worker';
  runMicros = 1000;
  rowMicros = 10;
  batchable = true;
  slots = 1;
  readonly runs: Run[] = [];
  /** Under way. */
  open: Run[] = [];
  /** Answers at once, when set. */
  sync: ((rows: number[]) => void) | undefined;

  constructor(options: Partial<Pick<LoadedModel, 'tier' | 'runMicros' | 'rowMicros' | 'batchable' | 'slots' | 'endsOnAbort' | 'usesParameters'>> = {}) {
    Object.assign(this, options);
  }

  execute(inputs: Tensor[], outputs: string[], call?: RunCall): Tensor[] | Promise<Tensor[]> {
    const rows = Array.from((inputs[0] as Tensor).data as Float32Array);
    const result = [{ name: 'y', datatype: 'FP32' as const, shape: [rows.length, 1], data: Float32Array.from(rows, (v) => v * 2) }];
    const { promise, resolve, reject } = Promise.withResolvers<Tensor[]>();
    const run: Run = {
      rows,
      outputs,
      call,
      done: () => {
        this.open = this.open.filter((other) => other !== run);
        resolve(result);
      },
      fail: (error) => {
        this.open = this.open.filter((other) => other !== run);
        reject(error);
      },
    };
    this.runs.push(run);
    if (this.sync !== undefined) {
      this.sync(rows);
      return result;
    }
    this.open.push(run);
    return promise;
  }
  async close(): Promise<void> {}
}

/** A queue in front of a fake model, under a fake clock. */
export function schedulingKit(
  batching: Batching = { enabled: 'on' },
  model: FakeModel = new FakeModel(),
  more: { limits?: EndpointLimits; executor?: Executor; ticker?: FakeTicker } = {},
) {
  const ticker = more.ticker ?? new FakeTicker();
  const executor = more.executor ?? new Executor(model);
  const limits = more.limits ?? new EndpointLimits();
  const scheduler = new Scheduler(executor, { batching, limits, ticker });
  const log: string[] = [];
  return {
    ticker,
    model,
    executor,
    limits,
    scheduler,
    /** What was answered or refused, in that order. */
    log,
    /** Submits rows of these values and notes the outcome. */
    ask(values: number | number[], call?: RunCall, outputs: string[] = ['y']): Promise<number[]> {
      const data = Float32Array.from(typeof values === 'number' ? [values] : values);
      const promise = scheduler
        .submit([{ name: 'x', datatype: 'FP32', shape: [data.length, 1], data }], outputs, call)
        .then(([y]) => Array.from(y?.data as Float32Array));
      promise.then(
        (out) => log.push(String(out)),
        (error: Error & { code?: string }) => log.push(`${String(values)}:${error.code ?? error.message}`),
      );
      promise.catch(() => {});
      return promise;
    },
    /** Values of each run so far. */
    ran: () => model.runs.map(({ rows }) => rows),
    async finish(): Promise<void> {
      await ticker.turn();
      while (model.open.length > 0) {
        model.open[0]?.done();
        await ticker.turn();
      }
    },
  };
}
