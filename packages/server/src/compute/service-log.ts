import { type Clock, systemClock } from '../kernel/index.ts';
import { LogFile } from './log-file.ts';
import { type LogLine, LogRing } from './log-ring.ts';
import type { LogSource } from './service.port.ts';

const MAX_TAIL = 4000;

/** What a service says: the last lines in memory for readers, all of it in a file. */
export class ServiceLog {
  readonly #ring = new LogRing();
  readonly #file: LogFile | undefined;
  readonly #now: Clock;

  constructor(file: string | undefined, now: Clock = systemClock) {
    this.#file = file === undefined ? undefined : new LogFile(file);
    this.#now = now;
  }

  readonly add = (text: string, source: LogSource): void => {
    const line = this.#ring.add(text, source, this.#now());
    this.#file?.write(`${new Date(line.at).toISOString()} ${source} ${line.text}`);
  };

  read(limit: number, after?: string): { lines: LogLine[]; next: string } {
    return this.#ring.read(limit, after);
  }

  /** The end of it for an error's text: the last lines that are not blank, without those of ours. A Python traceback should fit. */
  tail(lines = 30): string {
    const said = this.#ring.read(400).lines.filter(({ source, text }) => source !== 'binnacle' && text.trim() !== '');
    const last: string[] = [];
    let length = 0;
    for (const { text } of said.slice(-lines).reverse()) {
      const line = text.slice(0, 400);
      length += line.length + 1;
      if (length > MAX_TAIL) break;
      last.unshift(line);
    }
    return last.join('\n');
  }

  async flushed(): Promise<void> {
    await this.#file?.flushed();
  }
}
