import { messageOf } from '../kernel/index.ts';

const WELL_MS = 10_000;
const AWAY_MS = 1000;

/**
 * Whether a server elsewhere is there: told by every request, and asked in between, more often while it is away. One that is at work and answers
 * is not asked: the question would wait behind the requests, and be taken for silence.
 */
export class Health {
  problem: string | undefined;
  readonly #probe: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #running = 0;
  /** When a request was last answered, or the server last said that it is well; by `performance.now()`. */
  #answered = Number.NEGATIVE_INFINITY;

  /** `probe` throws when the server is away or does not have the model. */
  constructor(probe: () => Promise<void>) {
    this.#probe = probe;
    this.#later(WELL_MS);
  }

  /** A request is on its way; what comes back says when it is over. */
  begin(): () => void {
    this.#running++;
    return () => {
      this.#running--;
    };
  }

  well(): void {
    this.problem = undefined;
    this.answered();
  }

  /** It said something, be it that it has too much to do. */
  answered(): void {
    this.#answered = performance.now();
  }

  away(error: unknown): void {
    if (this.problem === undefined) this.#later(AWAY_MS);
    this.problem = messageOf(error);
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void this.#ask(), ms).unref();
  }

  async #ask(): Promise<void> {
    const begun = performance.now();
    const busy = this.#running > 0;
    if (this.problem !== undefined || !busy || begun - this.#answered > WELL_MS) {
      try {
        await this.#probe();
        this.well();
      } catch (error) {
        // A request that was answered meanwhile knows better.
        if (!this.#closed && this.#answered < begun) this.problem = messageOf(error);
      }
    }
    this.#later(this.problem === undefined ? WELL_MS : AWAY_MS);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
