import type { Tensor } from '../../serving/index.ts';
import { concatRows, rowsOf, sameTail, splitRows } from './merge.ts';

interface Waiting {
  inputs: Tensor[];
  outputs: string[];
  rows: number;
  resolve(outputs: Tensor[]): void;
  reject(error: unknown): void;
}

export interface BatcherOptions {
  /** One run of checked inputs; may answer at once or later. */
  execute(inputs: Tensor[], outputs: string[]): Tensor[] | Promise<Tensor[]>;
  /** Runs under way at the same time. */
  slots: number;
  /** Whether requests may be merged, and up to how many rows. */
  merge: boolean;
  maxRows: number;
  /** Synchronous work at a stretch before the event loop gets a turn, milliseconds. */
  maxBlockMs?: number;
}

/**
 * Collects the requests of one turn of the event loop and runs them together: a run of 30 rows costs a tiny model about as much as
 * a run of one. A request never waits for a later one, only for a free slot. When a merged run fails, each request runs alone, so that
 * nobody pays for a neighbour's bad input.
 */
export class TurnBatcher {
  readonly #options: BatcherOptions;
  #queue: Waiting[] = [];
  #busy = 0;
  #scheduled = false;
  #merge: boolean;
  #idle: (() => void)[] = [];

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#merge = options.merge;
  }

  get pending(): number {
    return this.#queue.length + this.#busy;
  }

  submit(inputs: Tensor[], outputs: string[]): Promise<Tensor[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ inputs, outputs, rows: this.#merge ? rowsOf(inputs) : 0, resolve, reject });
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
    const limit = this.#options.maxBlockMs ?? 5;
    while (this.#queue.length > 0 && this.#busy < this.#options.slots) {
      const group = this.#next();
      const merged = group.length > 1;
      let result: Tensor[] | Promise<Tensor[]>;
      try {
        const head = group[0] as Waiting;
        result = this.#options.execute(merged ? concatRows(group.map((w) => w.inputs)) : head.inputs, head.outputs);
      } catch (error) {
        this.#failed(group, error);
        continue;
      }
      if (result instanceof Promise) void this.#later(group, result);
      else this.#answered(group, result);
      if (this.#queue.length > 0 && performance.now() - started > limit) {
        this.#schedule();
        break;
      }
    }
    if (this.pending === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #later(group: Waiting[], result: Promise<Tensor[]>): Promise<void> {
    this.#busy++;
    try {
      const outputs = await result;
      this.#busy--;
      this.#answered(group, outputs);
    } catch (error) {
      this.#busy--;
      this.#failed(group, error);
    }
    this.#flush();
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
        (waiting.rows > 0 &&
          rows + waiting.rows <= this.#options.maxRows &&
          sameOutputs(waiting.outputs, head.outputs) &&
          sameTail(waiting.inputs, head.inputs));
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
