import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '../../kernel/index.ts';
import { recordsOf, type Tensors, type TraceTimes } from './trace-records.ts';
import { changed, DEFAULTS, type Levels } from './trace-levels.ts';

/** Triton's trace settings, as the wire has them. */
export interface TraceSettings {
  trace_level: string[];
  trace_rate: string;
  trace_count: string;
  log_frequency: string;
  trace_file: string;
  trace_mode: string;
}

/** One request being traced. */
export interface Trace {
  /** Called once the reply has been handed over; `tensors` are kept when the level asks for them. */
  finish(times: TraceTimes, tensors: Tensors): void;
}

export interface TraceService {
  /** The settings in force, of one model or for all. */
  settings(model?: string): TraceSettings;
  /** Changes them; of a model, no settings at all remove its own. Throws `invalid` or, for the file, `unsupported`. */
  update(model: string | undefined, settings: Readonly<Record<string, unknown>>): TraceSettings;
  /** A trace when this request is one to be traced; a comparison when tracing is off. */
  begin(model: string, transport: 'HTTP' | 'GRPC'): Trace | undefined;
  /** Writes what is left. */
  close(): Promise<void>;
}

/** Traces in memory before they are written, when no frequency says so. */
const FLUSH = 256;
/** Characters of traces in memory before they are written, whatever the frequency says. */
const FLUSH_SIZE = 4 * 2 ** 20;
/** Characters that a server writes from its start: a setting that was forgotten must not fill the disk. */
const MAX_SIZE = 2 ** 30;

/** Times of single requests, written as Triton writes them, into `file` (and `file.0`, `file.1` … with a log frequency). */
export function createTraces({ file, logger, maxSize = MAX_SIZE }: { file: string; logger: Logger; maxSize?: number }): TraceService {
  let global: Levels = { ...DEFAULTS };
  const byModel = new Map<string, Levels>();
  /** Seen requests by the settings that count them. */
  let seen = new WeakMap<Levels, number>();
  let active = false;
  let nextId = 1;
  let fileIndex = 0;
  let begun = false;
  let pending: string[] = [];
  let pendingSize = 0;
  let size = 0;
  let full = false;
  let writing: Promise<void> = Promise.resolve();

  const shownOf = (of: Levels): TraceSettings => ({
    trace_level: of.level.length === 0 ? ['OFF'] : of.level,
    trace_rate: String(of.rate),
    trace_count: String(of.count),
    log_frequency: String(of.frequency),
    trace_file: file,
    trace_mode: 'triton',
  });
  const inForce = (model: string | undefined): Levels => (model === undefined ? global : (byModel.get(model) ?? global));

  /** One write after the other, in the background. */
  const write = (task: () => Promise<void>): void => {
    writing = writing.then(async () => {
      try {
        await mkdir(dirname(file), { recursive: true });
        await task();
      } catch (err) {
        logger.warn({ err, file }, 'traces could not be written');
      }
    });
  };
  const flush = (frequency: number, last = false): void => {
    const batch = pending;
    pending = [];
    pendingSize = 0;
    if (frequency > 0) {
      if (batch.length > 0) {
        const name = `${file}.${fileIndex++}`;
        write(() => writeFile(name, `[${batch.join(',')}]`));
      }
    } else if (batch.length > 0) {
      const first = !begun;
      begun = true;
      write(() => (first ? writeFile(file, `[${batch.join(',')}`) : appendFile(file, `,${batch.join(',')}`)));
    }
    if (last && begun) write(() => appendFile(file, ']'));
  };

  return {
    settings: (model) => shownOf(inForce(model)),

    update(model, settings) {
      if (model !== undefined && Object.keys(settings).length === 0) byModel.delete(model);
      else {
        const next = changed(inForce(model), settings, model === undefined ? DEFAULTS : global);
        if (next.frequency !== inForce(model).frequency) flush(inForce(model).frequency);
        if (model === undefined) global = next;
        else byModel.set(model, next);
      }
      active = [global, ...byModel.values()].some((each) => each.level.length > 0);
      seen = new WeakMap();
      return shownOf(inForce(model));
    },

    begin(model, transport) {
      if (!active || full) return undefined;
      const settings = inForce(model);
      if (settings.level.length === 0 || settings.count === 0) return undefined;
      const number = seen.get(settings) ?? 0;
      seen.set(settings, number + 1);
      if (number % settings.rate !== 0) return undefined;
      if (settings.count > 0) settings.count--;
      const id = nextId++;
      return {
        finish(times, tensors) {
          if (full) return;
          const records = recordsOf({ id, model, transport, level: settings.level }, times, tensors);
          if (size + records.length > maxSize) {
            full = true;
            logger.warn({ file }, `traces of ${maxSize} characters have been written: no more are until the server starts anew`);
            return;
          }
          size += records.length;
          pendingSize += records.length;
          pending.push(records);
          if (pendingSize >= FLUSH_SIZE || pending.length >= (settings.frequency > 0 ? settings.frequency : FLUSH)) flush(settings.frequency);
        },
      };
    },

    async close() {
      flush(global.frequency, true);
      await writing;
    },
  };
}
