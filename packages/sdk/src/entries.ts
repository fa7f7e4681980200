/** A number as JSON can carry it. */
export type LooseValue = number | 'NaN' | 'Infinity' | '-Infinity';

interface Stamped {
  key: string;
  /** Any finite number. */
  step: number;
  /** Milliseconds since 1970. */
  timestamp: number;
}
export interface MetricEntry extends Stamped {
  kind: 'metric';
  value: LooseValue;
}
export interface StringEntry extends Stamped {
  kind: 'string';
  value: string;
}
export interface HistogramEntry extends Stamped {
  kind: 'histogram';
  /** n + 1 numbers, ascending. */
  edges: number[];
  /** n numbers. */
  counts: number[];
}
export interface FileSeriesEntry extends Stamped {
  kind: 'file';
  /** Of an artifact of the run. */
  path: string;
}
/** What has a step. */
export type SeriesEntry = MetricEntry | StringEntry | HistogramEntry | FileSeriesEntry;
export interface TextEntry {
  kind: 'param' | 'tag';
  key: string;
  value: string;
}
export type Entry = SeriesEntry | TextEntry;

export type EndStatus = 'FINISHED' | 'FAILED' | 'KILLED';

/** Most entries of a request. */
export const ENTRIES_A_REQUEST = 5000;
/** Most characters of texts and numbers in a request: some 12 MB at three bytes each, well below what the server takes. */
export const CHARACTERS_A_REQUEST = 4 * 1024 * 1024;

export const loose = (value: number): LooseValue => (Number.isFinite(value) ? value : (String(value) as LooseValue));
export const isText = (entry: Entry): entry is TextEntry => entry.kind === 'param' || entry.kind === 'tag';

/** About how many characters an entry is as JSON, its names left out. */
export function lengthOf(entry: Entry): number {
  if (entry.kind === 'histogram') return 20 * (entry.edges.length + entry.counts.length) + 60;
  return (entry.kind === 'file' ? entry.path.length : String(entry.value).length) + 60;
}

/** How many of the entries at the front fit one request; at least one. */
export function fitting(entries: readonly Entry[]): number {
  let characters = 0;
  let count = 0;
  for (const entry of entries) {
    characters += lengthOf(entry);
    if (count > 0 && (count >= ENTRIES_A_REQUEST || characters > CHARACTERS_A_REQUEST)) break;
    count++;
  }
  return count;
}

/** 32 hexadecimal digits, as MLflow's run ids are. */
export const newRunId = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
