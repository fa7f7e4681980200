import type { LogSource } from './service.port.ts';

export interface LogLine {
  /** Milliseconds since the epoch. */
  at: number;
  source: LogSource;
  text: string;
}

const MAX_LINE = 8192;
/** What the lines together may take: a text has up to two bytes a character. */
const MAX_BYTES = 4 * 2 ** 20;
const LINE_OVERHEAD = 100;

/** The last lines of a log, bounded in number and in bytes. A reader goes on where it was by a cursor, which a new process's ring does not mistake for one of its own. */
export class LogRing {
  readonly #lines: (LogLine | undefined)[] = [];
  readonly #size: number;
  readonly #epoch: string;
  readonly #maxBytes: number;
  /** Lines that were ever added. */
  #count = 0;
  /** The first line that is still kept. */
  #oldest = 0;
  #bytes = 0;

  constructor(size = 2000, epoch: string = Date.now().toString(36), maxBytes = MAX_BYTES) {
    this.#size = size;
    this.#epoch = epoch;
    this.#maxBytes = maxBytes;
  }

  add(text: string, source: LogSource, at: number): LogLine {
    const line = { at, source, text: text.length > MAX_LINE ? `${text.slice(0, MAX_LINE).toWellFormed()}…` : text };
    this.#bytes += bytesOf(line);
    while (this.#oldest < this.#count && (this.#bytes > this.#maxBytes || this.#count - this.#oldest >= this.#size)) this.#dropOldest();
    this.#lines[this.#count++ % this.#size] = line;
    return line;
  }

  #dropOldest(): void {
    const at = this.#oldest++ % this.#size;
    this.#bytes -= bytesOf(this.#lines[at] as LogLine);
    this.#lines[at] = undefined;
  }

  /** The last `limit` lines, or with a cursor the first `limit` of those that came after it. */
  read(limit: number, after?: string): { lines: LogLine[]; next: string } {
    const oldest = this.#oldest;
    const [epoch, position] = (after ?? '').split('.');
    const known = epoch === this.#epoch && /^\d{1,15}$/.test(position ?? '');
    const from = known ? Math.min(this.#count, Math.max(oldest, Number(position))) : Math.max(oldest, this.#count - limit);
    const to = Math.min(this.#count, from + limit);
    const lines = Array.from({ length: to - from }, (_, i) => this.#lines[(from + i) % this.#size] as LogLine);
    return { lines, next: `${this.#epoch}.${to}` };
  }
}

const bytesOf = ({ text }: LogLine): number => LINE_OVERHEAD + text.length * 2;
