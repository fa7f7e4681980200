import type { RunCall } from '../model-runtime.port.ts';
import { concatRows, rowsOf, sameTail, splitRows } from '../rows.ts';
import type { Tensor } from '../tensor.ts';
import type { Executor } from './executor.ts';

/** Merging must save at least a fifth of the time, else it only adds latency (a CNN on a CPU gains nothing). */
const MERGE_GAIN = 0.8;
/** Synchronous work at a stretch before the event loop gets a turn, milliseconds. */
const MAX_BLOCK_MS = 5;

interface Waiting {
  inputs: Tensor[];
  outputs: string[];
  /** Of the batch; 0: it runs alone. */
  rows: number;
  call: RunCall | undefined;
  resolve(outputs: Tensor[]): void;
  reject(error: unknown): void;
}

/**
 * Collects the requests of one turn of the event loop and runs them together: a run of 30 rows costs a tiny model about as much as
 * a run of one. A request never waits for a later one, only for a free slot. When a merged run fails, each request runs alone, so that
 * nobody pays for a neighbour's bad input.
 */
export class Scheduler {
  readonly #executor: Executor;
  readonly #maxRows: number;
  #queue: Waiting[] = [];
  #running = 0;
  #scheduled = false;
  #merge: boolean;
  #idle: (() => void)[] = [];
  readonly #wake = (): void => this.#flush();

  constructor(executor: Executor) {
    const { tier, batchable, runMicros, rowMicros } = executor.model;
    this.#executor = executor;
    this.#merge = batchable && (tier === 'inline' || rowMicros < runMicros * MERGE_GAIN);
    // About two milliseconds of work inline, so that one merged run never holds the event loop for long.
    this.#maxRows = tier === 'inline' ? Math.min(1024, Math.max(8, Math.floor(2000 / Math.max(rowMicros, 0.5)))) : 64;
  }

  get pending(): number {
    return this.#queue.length + this.#running;
  }

  /** `inputs` have been checked. */
  submit(inputs: Tensor[], outputs: string[], call?: RunCall): Promise<Tensor[]> {
    return new Promise((resolve, reject) => {
      const alone = !this.#merge || call?.sequence !== undefined || call?.parameters !== undefined;
      this.#queue.push({ inputs, outputs, rows: alone ? 0 : rowsOf(inputs), call, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves once nothing waits or runs. */
  async drained(): Promise<void> {
    while (this.pending > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const started = performance.now();
    while (this.#queue.length > 0) {
      if (this.#executor.free <= 0) {
        this.#executor.whenFree(this.#wake);
        break;
      }
      const group = this.#next();
      const merged = group.length > 1;
      let result: Tensor[] | Promise<Tensor[]>;
      try {
        const head = group[0] as Waiting;
        result = merged
          ? this.#executor.model.execute(concatRows(group.map((w) => w.inputs)), head.outputs)
          : this.#executor.model.execute(head.inputs, head.outputs, head.call);
      } catch (error) {
        this.#failed(group, error);
        continue;
      }
      if (result instanceof Promise) void this.#later(group, result);
      else this.#answered(group, result);
      if (this.#queue.length > 0 && performance.now() - started > MAX_BLOCK_MS) {
        this.#schedule();
        break;
      }
    }
    this.#settle();
  }

  #settle(): void {
    if (this.pending === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #later(group: Waiting[], result: Promise<Tensor[]>): Promise<void> {
    this.#running += group.length;
    this.#executor.take();
    try {
      const outputs = await result;
      this.#running -= group.length;
      this.#answered(group, outputs);
    } catch (error) {
      this.#running -= group.length;
      this.#failed(group, error);
    }
    if (this.#queue.length > 0) this.#executor.whenFree(this.#wake);
    this.#executor.give();
    this.#settle();
  }

  /** The oldest request and those that can run with it. */
  #next(): Waiting[] {
    const head = this.#queue[0] as Waiting;
    if (head.rows === 0 || this.#queue.length === 1) return [this.#queue.shift() as Waiting];
    const group: Waiting[] = [];
    const rest: Waiting[] = [];
    let rows = 0;
    for (const waiting of this.#queue) {
      const fits =
        group.length === 0 ||
        (waiting.rows > 0 && rows + waiting.rows <= this.#maxRows && sameOutputs(waiting.outputs, head.outputs) && sameTail(waiting.inputs, head.inputs));
      if (fits) {
        group.push(waiting);
        rows += waiting.rows;
      } else rest.push(waiting);
    }
    this.#queue = rest;
    return group;
  }

  #answered(group: Waiting[], outputs: Tensor[]): void {
    if (group.length === 1) return group[0]?.resolve(outputs);
    const parts = splitRows(
      outputs,
      group.map((w) => w.rows),
    );
    if (parts === undefined) {
      // The first dimension turned out not to be the batch: never merge this model again.
      this.#merge = false;
      return this.#alone(group);
    }
    group.forEach((waiting, i) => waiting.resolve(parts[i] as Tensor[]));
  }

  #failed(group: Waiting[], error: unknown): void {
    if (group.length === 1) group[0]?.reject(error);
    else this.#alone(group);
  }

  #alone(group: Waiting[]): void {
    for (const waiting of group) waiting.rows = 0;
    this.#queue.unshift(...group);
    this.#schedule();
  }
}

function sameOutputs(a: string[], b: string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
