const SIZES = [1024, 4096, 16_384, 65_536];
/** Runs timed for each size. */
const TRIALS = 2;
/** A longer run reacts to a cancel too late and needs more memory than it saves time. */
const MAX_RUN_MS = 250;

/** Finds the rows a model run that pass most rows a second, by timing the first runs, which count. */
export class RunSizer {
  readonly #fixed: number | undefined;
  readonly #times = SIZES.map(() => [] as number[]);
  #step = 0;
  #chosen: number | undefined;

  constructor(fixed: number | undefined) {
    this.#fixed = fixed;
  }

  /** Rows of the next run. */
  next(): number {
    return this.#fixed ?? this.#chosen ?? (SIZES[this.#step] as number);
  }

  /** `rows` were run in `ms`. */
  note(rows: number, ms: number): void {
    if (this.#fixed !== undefined || this.#chosen !== undefined || rows !== SIZES[this.#step]) return;
    const times = this.#times[this.#step] as number[];
    times.push(ms / rows);
    if (times.length < TRIALS) return;
    const slow = ms > MAX_RUN_MS;
    if (slow || ++this.#step === SIZES.length) this.#choose();
  }

  #choose(): void {
    const best = this.#times.map((times) => (times.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...times)));
    const least = Math.min(...best);
    // The smallest that is within a twentieth of the best: less memory for the same speed.
    this.#chosen = SIZES[best.findIndex((perRow) => perRow <= least * 1.05)] as number;
  }
}
