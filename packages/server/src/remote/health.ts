import { messageOf } from '../kernel/index.ts';

const WELL_MS = 10_000;
const AWAY_MS = 1000;

/** Whether a server elsewhere is there: told by every request, and asked in between, more often while it is away. */
export class Health {
  problem: string | undefined;
  readonly #probe: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `probe` throws when the server is away or does not have the model. */
  constructor(probe: () => Promise<void>) {
    this.#probe = probe;
    this.#later(WELL_MS);
  }

  well(): void {
    this.problem = undefined;
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
    try {
      await this.#probe();
      this.well();
    } catch (error) {
      if (!this.#closed) this.problem = messageOf(error);
    }
    this.#later(this.problem === undefined ? WELL_MS : AWAY_MS);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
