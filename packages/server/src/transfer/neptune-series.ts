import { isObject } from '../kernel/index.ts';
import type { ImportTarget, TargetBatch } from './import-target.port.ts';
import { artifactName, trackerKey } from './names.ts';
import { lines } from './neptune-files.ts';
import type { NeptuneExport, ExportedRun, SeriesRow, SeriesShape, SeriesType } from './neptune-export.port.ts';
import { shortStep, stepOf } from './neptune-steps.ts';

const BATCH = 1000;
/** Characters sent at once: as JSON they may be some times as many bytes. */
const BATCH_CHARACTERS = 2 * 1024 * 1024;
const MAX_STRING = 1024 * 1024;
const MAX_BINS = 512;

export type Note = (attribute: string, what: string) => unknown;

/** The run that series are brought into. */
export interface SeriesImport {
  source: NeptuneExport;
  target: ImportTarget;
  run: ExportedRun;
  runId: string;
  startedAt: number | null;
  note: Note;
  /** Stores the files of a row, and returns their paths. */
  putFiles(row: SeriesRow, folder: string): Promise<string[]>;
  /** For each file that is stored. */
  stored(): void;
}

/** What happened to the points of a series, to be told once. */
class Tally {
  readonly #counts = new Map<string, Map<string, number>>();
  add(path: string, what: string): void {
    const of = this.#counts.get(path) ?? new Map<string, number>();
    of.set(what, (of.get(what) ?? 0) + 1);
    this.#counts.set(path, of);
  }
  tell(note: Note): void {
    for (const [path, of] of this.#counts) for (const [what, count] of of) note(path, `Of its points ${count} ${what}`);
  }
}
const WITHOUT = 'had no value and were not carried over.';
const INEXACT = 'have a step of more digits than a double holds: the nearest is the step here.';

const timeOf = ({ timestamp }: SeriesRow, startedAt: number | null): number => Math.max(0, Math.round(timestamp ?? startedAt ?? 0));

/** Series of floats as metrics. Returns the time of the last point. */
export async function importMetrics({ source, target, run, runId, startedAt, note }: SeriesImport): Promise<number | null> {
  let last: number | null = null;
  let waiting: NonNullable<TargetBatch['metrics']> = [];
  const tally = new Tally();
  for await (const rows of source.series(run, 'float_series')) {
    for (const row of rows) {
      if (row.number === null) {
        tally.add(row.path, WITHOUT);
        continue;
      }
      const { step, exact } = stepOf(row.step);
      if (!exact) tally.add(row.path, INEXACT);
      const timestamp = timeOf(row, startedAt);
      last = Math.max(last ?? 0, timestamp);
      waiting.push({ key: trackerKey(row.path), value: row.number, step, timestamp });
    }
    for (; waiting.length >= BATCH; waiting = waiting.slice(BATCH)) await target.log(runId, { metrics: waiting.slice(0, BATCH) });
  }
  if (waiting.length > 0) await target.log(runId, { metrics: waiting });
  tally.tell(note);
  return last;
}

/** Series of strings, histograms and files as what they are. A point that cannot be one is a line of a file beside it. */
export async function importEntries(one: SeriesImport, type: Exclude<SeriesType, 'float_series'>, shapes: readonly SeriesShape[]): Promise<void> {
  if (!shapes.some((shape) => shape.type === type)) return;
  const { source, target, run, runId, startedAt, note } = one;
  const tally = new Tally();
  const lists = { strings: [], histograms: [], files: [] } as Required<Pick<TargetBatch, 'strings' | 'histograms' | 'files'>>;
  let [count, characters] = [0, 0];
  const counted = async (size: number) => {
    count++;
    characters += size;
    if (count >= BATCH || characters >= BATCH_CHARACTERS) await send();
  };
  const send = async () => {
    if (count > 0) await target.log(runId, { ...lists });
    lists.strings = [];
    lists.histograms = [];
    lists.files = [];
    [count, characters] = [0, 0];
  };
  let [path, beside] = ['', [] as string[]];
  const flush = async () => {
    if (beside.length > 0) {
      const to = `neptune/${type}/${artifactName(path)}.jsonl`;
      await target.putFile(runId, to, { text: lines(beside) });
      one.stored();
      note(path, `Some of its points are whole in ${to}.`);
    }
    beside = [];
  };
  const put = async (row: SeriesRow) => {
    if (row.text === null) return tally.add(row.path, WITHOUT);
    const { step, exact } = stepOf(row.step);
    if (!exact) tally.add(row.path, INEXACT);
    const at = { key: trackerKey(row.path), step, timestamp: timeOf(row, startedAt) };
    if (type === 'string_series') {
      const value = kept(row.text);
      if (value !== row.text) {
        beside.push(lineOf(row, JSON.stringify(row.text)));
        tally.add(row.path, 'are longer than 1 MiB, or have a character that not every database keeps: they are cut, or without it.');
      }
      lists.strings.push({ ...at, value });
      await counted(value.length);
    } else if (type === 'histogram_series') {
      const histogram = histogramOf(row.text);
      if (histogram === undefined) {
        beside.push(lineOf(row, row.text));
        return tally.add(row.path, `are no histogram here (edges that ascend, at most ${MAX_BINS} bins, counts from 0 on).`);
      }
      if (histogram.type !== 'COUNTING') tally.add(row.path, `are of the type ${histogram.type}: their values are the counts here.`);
      lists.histograms.push({ ...at, edges: histogram.edges, counts: histogram.counts });
      await counted(row.text.length);
    } else {
      const paths = await one.putFiles(row, `neptune/file_series/${artifactName(row.path)}/${shortStep(row.step ?? '0')}`);
      for (const stored of paths) {
        lists.files.push({ ...at, path: stored });
        await counted(stored.length);
      }
    }
  };
  for await (const rows of source.series(run, type))
    for (const row of rows) {
      // The rows come series by series.
      if (row.path !== path) await flush();
      path = row.path;
      await put(row);
    }
  await flush();
  await send();
  tally.tell(note);
}

/** What a series of strings takes of a text. */
function kept(text: string): string {
  const clean = text.toWellFormed().replaceAll('\0', '\u2400');
  if (Buffer.byteLength(clean) <= MAX_STRING) return clean;
  return new TextDecoder().decode(Buffer.from(clean).subarray(0, MAX_STRING - 3)).replace(/\ufffd$/, '');
}

function histogramOf(text: string): { type: string; edges: number[]; counts: number[] } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // DuckDB writes NaN and infinities as they are.
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { type, edges, values } = value as { type?: unknown; edges?: unknown; values?: unknown };
  const numbers = (list: unknown): list is number[] => Array.isArray(list) && list.every((item) => typeof item === 'number' && Number.isFinite(item));
  if (!numbers(edges) || !numbers(values) || values.length === 0 || values.length > MAX_BINS || edges.length !== values.length + 1) return undefined;
  if (values.some((count) => count < 0) || edges.some((edge, i) => i > 0 && edge <= (edges[i - 1] as number))) return undefined;
  return { type: typeof type === 'string' ? type : 'COUNTING', edges, counts: values };
}

const lineOf = ({ step, timestamp }: SeriesRow, value: string): string =>
  `{"step":${step === null ? 'null' : shortStep(step)},"timestamp":${timestamp ?? 'null'},"value":${value}}`;
