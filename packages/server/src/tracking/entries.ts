import { invalid } from '../kernel/index.ts';
import { isName, keyToToken, tokenToKey } from './search.ts';
import type { TrackingStore } from './tracking.port.ts';
import type { EntryInput, EntryKeySummary, EntryKind, EntryQuery, StoredEntry } from './types.ts';
import * as check from './validation.ts';

const MAX_STRING = 1024 * 1024;
const MAX_BINS = 512;

interface At {
  key: string;
  step: number;
  timestamp: number;
}
export interface HistogramValue {
  edges: number[];
  counts: number[];
}
/** Entries of series as they come in, a list a kind. */
export interface EntryInputs {
  strings: (At & { value: string })[];
  histograms: (At & HistogramValue)[];
  /** `path` is that of an artifact of the run, `size` its bytes; null where another store keeps the file. */
  files: (At & { path: string; size: number | null })[];
}

/** An entry as it is given out. */
export interface EntryView {
  step: number;
  timestamp: number;
  value: string | HistogramValue | { path: string; runId: string; size: number | null };
  inherited: boolean;
}

/** Throws `invalid`, naming the entry, for what a series does not take. */
export function checkedEntries({ strings, histograms, files }: EntryInputs): EntryInput[] {
  const entries: EntryInput[] = [];
  const keys = new Set<string>();
  const add = (kind: EntryKind, path: string, { key, step, timestamp }: At, value: string, size: number | null) => {
    if (!keys.has(key)) check.checkKey(key, `${path}.key`);
    keys.add(key);
    check.checkStep(step, `${path}.step`);
    if (!Number.isSafeInteger(timestamp) || timestamp < 0)
      throw check.invalidValue(`${path}.timestamp`, timestamp, 'A timestamp is a whole number of milliseconds since 1970.');
    entries.push({ kind, key, step: step + 0, timestamp, value, size });
  };
  for (const [i, entry] of strings.entries()) {
    const path = `strings[${i}]`;
    const size = Buffer.byteLength(entry.value);
    if (size > MAX_STRING)
      throw invalid('value_too_long', `'${path}.value' has ${size} bytes; a string of a series may have ${MAX_STRING}. Store longer ones as a file.`);
    if (!entry.value.isWellFormed()) throw invalid('invalid_parameter', `'${path}.value' is not valid Unicode.`);
    add('string', path, entry, entry.value, size);
  }
  for (const [i, entry] of histograms.entries()) {
    const path = `histograms[${i}]`;
    checkHistogram(entry, path);
    const value = JSON.stringify({ edges: entry.edges, counts: entry.counts });
    add('histogram', path, entry, value, value.length);
  }
  for (const [i, entry] of files.entries()) add('file', `files[${i}]`, entry, entry.path, entry.size);
  return entries;
}

function checkHistogram({ edges, counts }: HistogramValue, path: string): void {
  const refuse = (why: string) => invalid('invalid_histogram', `'${path}' is no histogram: ${why}`);
  if (counts.length === 0 || counts.length > MAX_BINS) throw refuse(`it has ${counts.length} counts, and may have 1 to ${MAX_BINS}.`);
  if (edges.length !== counts.length + 1) throw refuse(`${counts.length} counts need ${counts.length + 1} edges, and it has ${edges.length}.`);
  const odd = edges.findIndex((edge, i) => !Number.isFinite(edge) || (i > 0 && edge <= (edges[i - 1] as number)));
  if (odd >= 0) throw refuse(`its edges must ascend; edges[${odd}] is ${edges[odd]} after ${odd === 0 ? 'nothing' : edges[odd - 1]}.`);
  const bad = counts.findIndex((count) => !(count >= 0 && Number.isFinite(count)));
  if (bad >= 0) throw refuse(`counts[${bad}] is ${counts[bad]}, and counts are 0 or more.`);
}

const KINDS: ReadonlySet<unknown> = new Set<EntryKind>(['string', 'histogram', 'file']);
/** Step, timestamp and number of an entry. */
const isPlace = (after: unknown[]): after is [number, number, number] =>
  after.length === 3 && check.isStep(after[0]) && Number.isSafeInteger(after[1]) && Number.isSafeInteger(after[2]);

const misplaced = () => invalid('invalid_page_token', 'Invalid page token: it belongs to another search. Start again without one.');

export function entryUseCases(store: TrackingStore) {
  return {
    async listEntryKeys(
      runId: string,
      query: { kind?: EntryKind | undefined; q?: string | undefined; limit: number; pageToken?: string | undefined },
    ): Promise<{ keys: EntryKeySummary[]; nextPageToken: string | undefined }> {
      const after = tokenToKey(query.pageToken);
      if (after !== undefined && (after.length !== 2 || !isName(after[0]) || !KINDS.has(after[1]))) throw misplaced();
      const { keys, more } = await store.listEntryKeys(runId, {
        kind: query.kind ?? null,
        q: query.q ?? null,
        limit: query.limit,
        after: after === undefined ? null : { name: after[0] as string, kind: after[1] as EntryKind },
      });
      const last = keys[keys.length - 1];
      return { keys, nextPageToken: more && last !== undefined ? keyToToken([last.key, last.kind]) : undefined };
    },
    countEntryKeys: (runId: string): Promise<Record<EntryKind, number>> => store.countEntryKeys(runId),
    /** A page of entries, or with `sample` some of all, evenly chosen. */
    async getEntries(
      runId: string,
      query: Omit<EntryQuery, 'after'> & { pageToken?: string | undefined; sample: boolean },
    ): Promise<{ total: number; entries: EntryView[]; nextPageToken: string | undefined }> {
      const { pageToken, sample, ...rest } = query;
      for (const end of ['from', 'to'] as const) if (rest[end] !== null) check.checkStep(rest[end], end);
      const after = tokenToKey(pageToken) ?? null;
      if (sample && after !== null) throw invalid('invalid_parameter', 'A sample has no pages: ask for it without a page token.');
      if (after !== null && !isPlace(after)) throw misplaced();
      const { total, entries, next } = sample ? await store.sampleEntries(runId, rest) : await store.readEntries(runId, { ...rest, after });
      return { total, entries: entries.map(entryView), nextPageToken: keyToToken(next) };
    },
  };
}

function entryView({ kind, step, timestamp, value, size, runId, inherited }: StoredEntry): EntryView {
  const shown = kind === 'string' ? value : kind === 'histogram' ? (JSON.parse(value) as HistogramValue) : { path: value, runId, size };
  return { step, timestamp, value: shown, inherited };
}
