import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface LogFileOptions {
  /** Bytes at which a file is put aside and a new one begun. */
  maxBytes?: number;
  /** Files put aside that are kept (`.1` is the youngest). */
  keep?: number;
  /** Lines that may wait for the disk before further ones are left out. */
  maxWaiting?: number;
}

/** A log on disk that rotates. It never holds anybody up: what the disk does not take in time is left out, and said so in the file. */
export class LogFile {
  readonly #path: string;
  readonly #options: Required<LogFileOptions>;
  #waiting: string[] = [];
  #left = 0;
  #size: number | undefined;
  #writing: Promise<void> | undefined;

  constructor(path: string, options: LogFileOptions = {}) {
    this.#path = path;
    this.#options = { maxBytes: 5 * 1024 * 1024, keep: 3, maxWaiting: 10_000, ...options };
  }

  write(line: string): void {
    if (this.#waiting.length >= this.#options.maxWaiting) this.#left++;
    else this.#waiting.push(line);
    // A log that cannot be written (a full disk) is no reason for anything to fail.
    this.#writing ??= this.#drain().catch(() => this.#giveUp());
  }

  /** Resolves when what was written so far is on its way to the disk. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    // Lines of one turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      if (this.#left > 0) this.#waiting.push(`(${this.#left} lines were left out here)`);
      this.#left = 0;
      const text = `${this.#waiting.splice(0).join('\n')}\n`;
      if (this.#size === undefined) {
        await mkdir(dirname(this.#path), { recursive: true });
        this.#size = (await stat(this.#path).catch(() => ({ size: 0 }))).size;
      }
      if (this.#size > 0 && this.#size + Buffer.byteLength(text) > this.#options.maxBytes) await this.#rotate();
      await appendFile(this.#path, text, { mode: 0o600 });
      this.#size += Buffer.byteLength(text);
    }
    this.#writing = undefined;
  }

  #giveUp(): void {
    this.#waiting = [];
    this.#size = undefined;
    this.#writing = undefined;
  }

  async #rotate(): Promise<void> {
    for (let i = this.#options.keep - 1; i >= 0; i--) await rename(i === 0 ? this.#path : `${this.#path}.${i}`, `${this.#path}.${i + 1}`).catch(() => {});
    this.#size = 0;
  }
}
