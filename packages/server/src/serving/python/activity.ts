/** Runs under way at a server: one that is at work may be too busy to say that it is healthy, but not for longer than any run may take. */
export class Activity {
  #running = 0;
  /** When it last answered, or began to have something to do; by `performance.now()`. */
  #heard = 0;
  readonly #silenceMs: number;

  /** `silenceMs`: how long it may rightly answer nothing. */
  constructor(silenceMs: number) {
    this.#silenceMs = silenceMs;
  }

  begin(): void {
    if (this.#running === 0) this.#heard = performance.now();
    this.#running++;
  }

  end(answered: boolean): void {
    this.#running--;
    if (answered) this.#heard = performance.now();
  }

  get mayBeBusy(): boolean {
    return this.#running > 0 && performance.now() - this.#heard <= this.#silenceMs;
  }
}
