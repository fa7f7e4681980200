import type { LogSource } from './service.port.ts';

export interface LogLine {
  /** Milliseconds since the epoch. */
  at: number;
  source: LogSource;
  text: string;
}

const MAX_LINE = 8192;

/** The last lines of a log. A reader goes on where it was by a cursor, which a new process's ring does not mistake for one of its own. */
export class LogRing {
  readonly #lines: LogLine[] = [];
  readonly #size: number;
  readonly #epoch: string;
  /** Lines that were ever added. */
  #count = 0;

  constructor(size = 2000, epoch: string = Date.now().toString(36)) {
    this.#size = size;
    this.#epoch = epoch;
  }

  add(text: string, source: LogSource, at: number): LogLine {
    const line = { at, source, text: text.length > MAX_LINE ? `${text.slice(0, MAX_LINE).toWellFormed()}…` : text };
    this.#lines[this.#count++ % this.#size] = line;
    return line;
  }

  /** The last `limit` lines, or with a cursor the first `limit` of those that came after it. */
  read(limit: number, after?: string): { lines: LogLine[]; next: string } {
    const oldest = Math.max(0, this.#count - this.#size);
    const [epoch, position] = (after ?? '').split('.');
    const known = epoch === this.#epoch && /^\d{1,15}$/.test(position ?? '');
    const from = known ? Math.min(this.#count, Math.max(oldest, Number(position))) : Math.max(oldest, this.#count - limit);
    const to = Math.min(this.#count, from + limit);
    const lines = Array.from({ length: to - from }, (_, i) => this.#lines[(from + i) % this.#size] as LogLine);
    return { lines, next: `${this.#epoch}.${to}` };
  }
}
