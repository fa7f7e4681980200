import type { SeriesEntry } from '@binnacle/contract';

/** Lines of a log from entries of a series of strings. Pure; tested in log.test.ts. */
export interface LogLine {
  /** Stays the same while others come before and behind it. */
  id: string;
  step: number;
  timestamp: number;
  text: string;
  inherited: boolean;
}

const identity = (entry: SeriesEntry): string => JSON.stringify([entry.step, entry.timestamp, entry.value]);

/** What is new of entries that begin at or before the last known step; those that are known stay as they are. */
export function appended(known: readonly SeriesEntry[], found: readonly SeriesEntry[]): SeriesEntry[] {
  const from = found[0]?.step;
  if (from === undefined) return [...known];
  const seen = new Set<string>();
  for (let i = known.length - 1; i >= 0 && (known[i] as SeriesEntry).step >= from; i -= 1) seen.add(identity(known[i] as SeriesEntry));
  const fresh = found.filter((entry) => !seen.has(identity(entry)));
  return fresh.length === 0 ? (known as SeriesEntry[]) : [...known, ...fresh];
}

const shortened = (id: string): string => (id.length > 600 ? `${id.slice(0, 400)}${id.length}${id.slice(-200)}` : id);
export const linesOf = (entries: readonly SeriesEntry[]): LogLine[] =>
  entries.map((entry) => ({
    id: shortened(identity(entry)),
    step: entry.step,
    timestamp: entry.timestamp,
    text: typeof entry.value === 'string' ? withoutEscapes(entry.value).replace(/\n$/, '') : '',
    inherited: entry.inherited,
  }));

/** The lines that hold a text in any case. */
export function matching(lines: LogLine[], query: string): LogLine[] {
  const wanted = query.trim().toLowerCase();
  return wanted === '' ? lines : lines.filter((line) => line.text.toLowerCase().includes(wanted));
}

/** A text in pieces, every other of which is what was searched for. */
export function pieces(text: string, query: string): string[] {
  const wanted = query.trim();
  if (wanted === '') return [text];
  return text.split(new RegExp(`(${wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')})`, 'i')).slice(0, 200);
}

/** Colours and cursor moves of a terminal say nothing here. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
const withoutEscapes = (text: string): string => text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
