/** How a running job gets on: in memory, beside the ledger. */
export class ProgressMeter {
  readonly #now: () => number;
  readonly #before: number;
  readonly #startedAt: number;
  #begunAt: number | undefined;
  #rows = 0;
  #total = 0;
  #doneBefore = 0;
  #charged = 0;
  #busyMicros: number | undefined;

  /** `activeMs`: time that earlier attempts took. */
  constructor(activeMs: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#before = activeMs;
    this.#startedAt = now();
  }

  begin({ total, done }: { total: number; done: number }): void {
    this.#begunAt = this.#now();
    this.#total = total;
    this.#doneBefore = done;
  }

  add(rows: number, busyMicros: number | undefined): void {
    this.#rows += rows;
    this.#busyMicros = busyMicros;
  }

  /** Milliseconds in the runtime that no chunk has been charged with yet. */
  takeInference(fallback: number): number {
    if (this.#busyMicros === undefined) return fallback;
    const due = this.#busyMicros / 1000 - this.#charged;
    this.#charged += due;
    return due;
  }

  get activeMs(): number {
    return this.#before + this.#now() - this.#startedAt;
  }

  /** Since the model was loaded and the input was read; null before the first chunk. */
  get rowsPerSecond(): number | null {
    if (this.#begunAt === undefined || this.#rows === 0) return null;
    return this.#rows / Math.max(0.001, (this.#now() - this.#begunAt) / 1000);
  }

  get etaSeconds(): number | null {
    const rate = this.rowsPerSecond;
    return rate === null ? null : Math.max(0, this.#total - this.#doneBefore - this.#rows) / rate;
  }
}
