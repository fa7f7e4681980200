import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { EndStatus, Entry } from '../entries.ts';
import { isText, lengthOf } from '../entries.ts';
import type { SendOptions } from '../http-sink.ts';
import type { Reporter } from '../reporter.ts';
import { until } from '../retry.ts';
import type { RunSink } from '../run-sink.ts';
import { type ArtifactLine, FILES, folderName, lineOf, MENDED, readable, recordOf, type RunLine } from './record.ts';

const MAX_BUFFERED = 100_000;
const END_TIMEOUT_MS = 60_000;
/** Lines that wait are written out early beyond it. */
const MOST_WAITING = 5000;

/** Sinks that are open when the process exits write what they hold. */
const open_ = new Set<FileSink>();
const atExit = (code: number): void => {
  for (const sink of open_) sink.exit(code);
};

/** Makes what a folder lists durable; not every system can. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows has no such thing.
  }
}

interface Pending {
  text: string;
  weight: number;
  /** May go when too much waits. */
  series: boolean;
}

/** Records a run in a folder: appended, and on the disk when `flush` resolves; whatever ends the process, what was flushed is there. */
export class FileSink implements RunSink {
  readonly folder: string;
  readonly #file: FileHandle;
  readonly #options: SendOptions;
  readonly #report: Reporter;
  readonly #timer: ReturnType<typeof setInterval>;
  #lines: Pending[] = [];
  #inFlight: Pending[] = [];
  #weight = 0;
  /** Bytes of the file when a write last succeeded. */
  #length = 0;
  #torn = false;
  /** The last write did not succeed. */
  #failing = false;
  #writing: Promise<boolean> = Promise.resolve(true);
  /** The write that waits for the one under way. */
  #next: Promise<boolean> | undefined;
  #putting: Promise<void> = Promise.resolve();
  #copies = 0;
  #dropped = 0;
  #closed = false;

  private constructor(folder: string, file: FileHandle, options: SendOptions, report: Reporter) {
    this.folder = folder;
    this.#file = file;
    this.#options = options;
    this.#report = report;
    this.#timer = setInterval(() => void this.#write(), options.flushIntervalMs ?? 1000);
    this.#timer.unref();
    if (open_.size === 0) process.on('exit', atExit);
    open_.add(this);
  }

  /** Makes the run's folder in `dir`, with its first line. Throws what the file system says. */
  static async open(dir: string, run: RunLine, options: SendOptions, report: Reporter): Promise<FileSink> {
    await mkdir(dir, { recursive: true });
    const name = folderName(run);
    let folder = join(dir, name);
    for (let again = 2; !(await made(folder)); again++) folder = join(dir, `${name}_${again}`);
    await mkdir(join(folder, FILES));
    const file = await open(recordOf(folder), 'ax');
    const sink = new FileSink(folder, file, options, report);
    const first = Buffer.from(lineOf(run));
    try {
      await file.appendFile(first);
      await file.sync();
    } catch (error) {
      await sink.#close();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    sink.#length = first.length;
    await syncFolder(folder);
    await syncFolder(dir);
    return sink;
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(entries: readonly Entry[]): void {
    for (const entry of entries) this.#push(lineOf(entry), !isText(entry), isText(entry) ? 1 : Math.max(1, Math.floor(lengthOf(entry) / 1000)));
    if (this.#lines.length > MOST_WAITING) void this.#write();
  }

  #push(text: string, series: boolean, weight: number): void {
    this.#lines.push({ text, series, weight });
    this.#weight += weight;
    this.#bound();
  }

  /** A disk that is full for long must not fill the memory too: the oldest of the series go. */
  #bound(): void {
    const most = this.#options.maxBuffered ?? MAX_BUFFERED;
    if (!this.#failing || this.#weight <= most) return;
    this.#lines = this.#lines.filter(({ series, weight }) => {
      if (!series || this.#weight <= most) return true;
      this.#weight -= weight;
      this.#dropped++;
      return false;
    });
  }

  put(path: string, content: Blob, after: readonly Entry[] = []): Promise<void> {
    const work = async (): Promise<void> => {
      try {
        this.#push(lineOf(await this.#copy(path, content)), false, 1);
        this.add(after);
        await this.#write();
      } catch (error) {
        this.#dropped += after.length;
        this.refuse(`artifact "${path}"`, error);
      }
    };
    this.#putting = this.#putting.then(work);
    return this.#putting;
  }

  /** By its hash, so that the same content is kept once, with its name behind for people. */
  async #copy(path: string, content: Blob): Promise<ArtifactLine> {
    const folder = join(this.folder, FILES);
    const temporary = join(folder, `.${++this.#copies}.tmp`);
    const hash = createHash('sha256');
    try {
      const file = await open(temporary, 'w');
      try {
        for await (const piece of content.stream() as unknown as AsyncIterable<Uint8Array>) {
          hash.update(piece);
          await file.writeFile(piece);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const sha256 = hash.digest('hex');
      const name = [sha256.slice(0, 16), readable(basename(path))].filter((part) => part !== '').join('-');
      await rename(temporary, join(folder, name));
      await syncFolder(folder);
      return { kind: 'artifact', path, file: name, size: content.size, sha256 };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  refuse(what: string, error: unknown): void {
    this.#dropped++;
    this.#report(what, error, `: the ${what} cannot be logged`, 'it is left out');
  }

  async flush(): Promise<void> {
    await this.#putting;
    await this.#write();
  }

  /** Writes what waits; resolves to whether it is all on the disk. */
  #write(): Promise<boolean> {
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      return this.#append();
    });
    this.#writing = this.#next;
    return this.#next;
  }

  async #append(): Promise<boolean> {
    if (this.#lines.length === 0 || this.#closed) return true;
    this.#inFlight = this.#lines;
    this.#lines = [];
    this.#weight = 0;
    const bytes = Buffer.from(textOf(this.#inFlight));
    let appended = false;
    try {
      if (this.#torn) await this.#mend();
      await this.#file.appendFile(bytes);
      appended = true;
      await this.#file.datasync();
      this.#length += bytes.length;
      this.#inFlight = [];
      this.#failing = false;
      return true;
    } catch (error) {
      this.#failing = true;
      this.#report('disk', error, 'could not be recorded', 'trying on');
      // What the system could not make durable is written once more.
      const written = await this.#salvage(appended ? bytes.subarray(0, 0) : bytes);
      this.#lines = [...this.#inFlight.slice(written), ...this.#lines];
      this.#inFlight = [];
      this.#weight = this.#lines.reduce((sum, { weight }) => sum + weight, 0);
      this.#bound();
      return false;
    }
  }

  /** After a write that failed: takes a torn line out again, and resolves to how many whole ones are there. */
  async #salvage(bytes: Buffer): Promise<number> {
    if (this.#torn) return 0;
    try {
      const { size } = await this.#file.stat();
      const whole = bytes.subarray(0, size - this.#length).lastIndexOf(10) + 1;
      if (size > this.#length + whole) await this.#file.truncate(this.#length + whole);
      // They are acknowledged by the write that succeeds.
      this.#length += whole;
      return bytes.subarray(0, whole).toString().split('\n').length - 1;
    } catch {
      this.#torn = true;
      return 0;
    }
  }

  /** Where even that failed: ends the line that may be torn. Lines that are there already come again, which is no harm: the same entry twice is one. */
  async #mend(): Promise<void> {
    const { size } = await this.#file.stat();
    if (size > this.#length) await this.#file.appendFile(MENDED);
    this.#length = (await this.#file.stat()).size;
    this.#torn = false;
  }

  async end(status: EndStatus, endedAt: number): Promise<void> {
    clearInterval(this.#timer);
    await this.#putting;
    this.#push(lineOf({ kind: 'end', status, endedAt }), false, 1);
    const limit = this.#options.endTimeoutMs ?? END_TIMEOUT_MS;
    const done = await until(Date.now() + limit, async () => ((await this.#write()) && this.#lines.length === 0 ? 'done' : 0));
    if (!done) {
      this.#dropped += this.#lines.length;
      this.#report('lost', new Error(`${this.#lines.length} lines could not be written within ${limit} ms`), 'is not complete', 'they are lost');
    }
    await this.#close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed = true;
    open_.delete(this);
    if (open_.size === 0) process.off('exit', atExit);
    await this.#file.close();
  }

  /** The process exits without having ended the run: what waits is written, and how it ended. */
  exit(code: number): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      const end = lineOf({ kind: 'end', status: code === 0 ? 'FINISHED' : 'FAILED', endedAt: Date.now() });
      // A write under way may be cut off anywhere: its lines stand here again.
      writeSync(this.#file.fd, `${this.#torn || this.#inFlight.length > 0 ? MENDED : ''}${textOf(this.#inFlight)}${textOf(this.#lines)}${end}`);
    } catch {
      // Nobody is left to tell.
    }
  }
}

const textOf = (lines: Pending[]): string => lines.map(({ text }) => text).join('');

async function made(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
