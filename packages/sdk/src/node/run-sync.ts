import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Client } from '../client.ts';
import { artifactRootOf, deliver, isFinal, isUnreadable, logEntries, statusOf, transferMs, uploadArtifact } from '../delivery.ts';
import { CHARACTERS_A_REQUEST, type Entry, lengthOf } from '../entries.ts';
import { REQUEST_TIMEOUT_MS } from '../http-sink.ts';
import { openFile } from './open-file.ts';
import { readProgress, removeRun, saveProgress, VanishedError } from './progress.ts';
import { type ArtifactLine, type EndLine, fileOf, FORMAT, type Line, recordOf, type RunLine } from './record.ts';
import { readLines } from './record-reader.ts';
import { stateOf } from './writer.ts';

/**
 * What a sync did with a run. `synced`: all of it is on the server, and it has ended. `open`: all that is written so far is; it has not ended yet.
 * `interrupted`: its process is gone without having ended it; all is there, and it is KILLED. `unchanged`: was there already. `incomplete`: the server
 * refuses a part, or lines cannot be read; the rest is there. `failed`: it could not be sent.
 */
export type SyncState = 'synced' | 'open' | 'interrupted' | 'unchanged' | 'incomplete' | 'failed';
export interface RunReport {
  folder: string;
  state: SyncState;
  runId: string;
  experiment: string;
  name: string | null;
  /** Entries and artifacts that were sent this time. */
  entries: number;
  artifacts: number;
  /** What the server refuses, and why; the first 100. */
  refused: { what: string; message: string }[];
  /** Lines that cannot be read. */
  damaged: number;
  error: string | null;
}
export interface RunSyncOptions {
  /** Leave what is done where it is, marked as done. Default: it is removed. */
  keep?: boolean;
  /** Runs without an end whose process cannot be seen from here (another machine, or before a restart) are over, too. */
  endInterrupted?: boolean;
}

const MOST_REFUSED = 100;
/** As many as the server takes at once: nobody waits for the single one. */
const ENTRIES_A_REQUEST = 10_000;

/** Sends a recorded run to a server, as far as it is written; `advance` again goes on from there. Repeating any of it does no harm. */
export class RunSync {
  readonly folder: string;
  /** Entries and artifacts that the server refuses, those included that the report does not list. */
  refusals = 0;
  readonly #client: Client;
  readonly #options: RunSyncOptions;
  readonly #server: string;
  #run: RunLine | undefined;
  /** Where the artifacts go, once the run is on the server. */
  #root: string | undefined;
  #offset = 0;
  /** Where what was refused begins: the next sync tries it again. */
  #firstRefused: number | undefined;
  #refused: RunReport['refused'] = [];
  #damaged = 0;
  /** The server has it as ended, by a process before this one. */
  #reopen = false;
  /** Of the entries. */
  #lastTime: number | undefined;
  #sent = { entries: 0, artifacts: 0 };

  constructor(folder: string, client: Client, options: RunSyncOptions = {}) {
    this.folder = folder;
    this.#client = client;
    this.#options = options;
    this.#server = client.url('getInfo');
  }

  /** Sends what is there; what it did is counted from the first call on. Throws when there is no answer, or the server takes nothing of it. */
  async advance(): Promise<RunReport> {
    const run = (this.#run ??= await this.#readRun());
    if (this.#root === undefined && !(await this.#begin(run))) return this.report('unchanged');
    const end = await this.#sendLines(run.runId);
    if (end === undefined) {
      const state = stateOf(run.writer);
      if (state === 'there') await this.#goOn(run.runId);
      if (state === 'there' || (state === 'unknown' && this.#options.endInterrupted !== true)) return this.report('open');
      // What the process wrote last may have come between.
      const late = await this.#sendLines(run.runId);
      await this.#end(run.runId, late ?? { kind: 'end', status: 'KILLED', endedAt: this.#lastTime ?? run.startedAt });
      return this.#finish(late === undefined ? 'interrupted' : 'synced');
    }
    await this.#end(run.runId, end);
    return this.#finish('synced');
  }

  report(state: SyncState, error: unknown = null): RunReport {
    return {
      folder: this.folder,
      state,
      runId: this.#run?.runId ?? '',
      experiment: this.#run?.experiment ?? '',
      name: this.#run?.name ?? null,
      ...this.#sent,
      refused: this.#refused,
      damaged: this.#damaged,
      error: error === null ? null : error instanceof Error ? error.message : String(error),
    };
  }

  async #readRun(): Promise<RunLine> {
    if (!existsSync(recordOf(this.folder))) throw new VanishedError();
    for await (const { line, next } of readLines(recordOf(this.folder), 0)) {
      if (line?.kind !== 'run') break;
      if (line.version !== FORMAT)
        throw new Error(`${basename(this.folder)} was written in format ${line.version}; this version knows ${FORMAT}: use a newer one.`);
      this.#offset = next;
      return line;
    }
    throw new Error(`${basename(this.folder)} does not begin with a run.`);
  }

  /** Sees that the run is on the server; resolves to whether there is something to send. */
  async #begin(run: RunLine): Promise<boolean> {
    const progress = await readProgress(this.folder, this.#server);
    const there = progress !== undefined && (await this.#isThere(run.runId));
    if (there && progress.done) {
      if (this.#options.keep !== true) await removeRun(this.folder);
      return false;
    }
    const { runId, experiment, name, user, startedAt, params, tags, fork } = run;
    const body = { runId, experiment, startedAt, params, tags, ...(name && { name }), ...(user && { user }), ...(fork && { fork }) };
    const reply = await this.#client.call('createRun', { body, signal: timeout() });
    if (reply.lifecycleStage === 'deleted') throw new Error(`the run ${runId} was deleted on the server: restore it there, or delete ${this.folder}`);
    this.#root = artifactRootOf(reply.artifactUri);
    if (there) this.#offset = progress.offset;
    // A second process that goes on with a run comes with params and tags of its own.
    else await this.#send(runId, [...textsOf('param', params), ...textsOf('tag', tags)], this.#offset);
    this.#reopen = reply.status !== 'RUNNING';
    return true;
  }

  async #goOn(runId: string): Promise<void> {
    if (!this.#reopen) return;
    await this.#client.call('updateRun', { params: { runId }, body: { status: 'RUNNING' }, signal: timeout() });
    this.#reopen = false;
  }

  async #isThere(runId: string): Promise<boolean> {
    try {
      await this.#client.call('getRun', { params: { runId }, signal: timeout() });
      return true;
    } catch (error) {
      if (isFinal(error) && statusOf(error) === 404) return false;
      throw error;
    }
  }

  /** Sends the lines that are written, in order; resolves to the end of the run when that is among them. */
  async #sendLines(runId: string): Promise<EndLine | undefined> {
    let end: EndLine | undefined;
    let batch: Entry[] = [];
    let [characters, from, next] = [0, this.#offset, this.#offset];
    const flush = async (): Promise<void> => {
      await this.#send(runId, batch, from);
      await this.#advanceTo(next);
      [batch, characters, from] = [[], 0, next];
    };
    for await (const read of readLines(recordOf(this.folder), this.#offset)) {
      const { line } = read;
      if (line === undefined) {
        this.#damaged++;
        this.#firstRefused ??= next;
      } else if (line.kind === 'artifact') {
        await flush();
        await this.#upload(line, next);
      } else if (line.kind === 'end') {
        // Not behind it: a sync that is cut off here must find it again.
        end = line;
        break;
      } else if (line.kind !== 'run') {
        if (batch.length >= ENTRIES_A_REQUEST || characters > CHARACTERS_A_REQUEST || changesParam(batch, line)) await flush();
        batch.push(line);
        characters += lengthOf(line);
        if ('timestamp' in line) this.#lastTime = Math.max(this.#lastTime ?? 0, line.timestamp);
      }
      next = read.next;
      if (line?.kind === 'artifact') await this.#advanceTo((from = next));
    }
    await flush();
    return end;
  }

  async #send(runId: string, entries: Entry[], from: number): Promise<void> {
    if (entries.length === 0) return;
    const refused: [unit: Entry[], why: unknown][] = [];
    const { unsent, error } = await deliver(
      (part) => logEntries(this.#client, runId, part, timeout()),
      entries,
      (unit, why) => refused.push([unit, why]),
    );
    // Those that were taken are sent again with the rest: that does no harm. Those that were refused are refused again, and count once.
    if (unsent.length > 0) throw error;
    this.#sent.entries += entries.length;
    for (const [unit, why] of refused) {
      this.#sent.entries -= unit.length;
      this.#refuse(`${unit[0]?.kind} ${unit[0]?.key}`, why, from, unit.length);
    }
  }

  async #upload(line: ArtifactLine, from: number): Promise<void> {
    const root = this.#root ?? '';
    try {
      const content = await openFile(fileOf(this.folder, line)).catch(() => undefined);
      if (content === undefined) throw unreadable(line);
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS + transferMs(line.size));
      await uploadArtifact(this.#client, root, line.path, content, { signal, sha256: Buffer.from(line.sha256, 'hex').toString('base64') });
      this.#sent.artifacts++;
    } catch (error) {
      const lost = isUnreadable(error);
      // Another sync removes what it has sent.
      if (lost && !existsSync(recordOf(this.folder))) throw new VanishedError();
      if (!lost && !isFinal(error)) throw error;
      this.#refuse(`artifact ${line.path}`, lost ? unreadable(line) : error, from);
    }
  }

  #refuse(what: string, error: unknown, from: number, count = 1): void {
    this.#firstRefused ??= from;
    this.refusals += count;
    if (this.#refused.length < MOST_REFUSED) this.#refused.push({ what, message: error instanceof Error ? error.message : String(error) });
  }

  async #end(runId: string, { status, endedAt }: EndLine): Promise<void> {
    await this.#client.call('updateRun', { params: { runId }, body: { status, endedAt }, signal: timeout() });
  }

  async #finish(state: 'synced' | 'interrupted'): Promise<RunReport> {
    if (this.#firstRefused !== undefined) return this.report('incomplete');
    await saveProgress(this.folder, { server: this.#server, offset: this.#offset, done: true });
    if (this.#options.keep !== true) await removeRun(this.folder);
    return this.report(state);
  }

  async #advanceTo(offset: number): Promise<void> {
    if (offset === this.#offset) return;
    this.#offset = offset;
    await saveProgress(this.folder, { server: this.#server, offset: this.#firstRefused ?? offset, done: false });
  }
}

const unreadable = ({ file }: ArtifactLine): Error => Object.assign(new Error(`its file ${file} cannot be read`), { name: 'NotReadableError' });
const timeout = (): AbortSignal => AbortSignal.timeout(REQUEST_TIMEOUT_MS);
const textsOf = (kind: 'param' | 'tag', values: Record<string, string>): Entry[] => Object.entries(values).map(([key, value]) => ({ kind, key, value }));
/** One request holds one value of a param. */
const changesParam = (batch: Entry[], line: Line): boolean =>
  line.kind === 'param' && batch.some((other) => other.kind === 'param' && other.key === line.key && other.value !== line.value);
