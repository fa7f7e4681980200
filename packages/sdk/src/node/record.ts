import { join } from 'node:path';
import type { EndStatus, Entry } from '../entries.ts';
import type { Writer } from './writer.ts';

/**
 * An offline run is a folder: a line of JSON for each thing that was logged, in order, and beside it the files. A line counts when its line feed is
 * there; the first one says what the run is.
 */
export const RECORD = 'run.jsonl';
export const FILES = 'files';
export const PROGRESS = 'synced.json';
export const FORMAT = 1;

export interface RunLine {
  kind: 'run';
  version: number;
  runId: string;
  experiment: string;
  name?: string;
  user?: string;
  startedAt: number;
  params: Record<string, string>;
  tags: Record<string, string>;
  fork?: { runId: string; step: number };
  writer: Writer;
}
export interface ArtifactLine {
  kind: 'artifact';
  path: string;
  /** Name in the folder `files`. */
  file: string;
  size: number;
  /** In hexadecimal digits. */
  sha256: string;
}
export interface EndLine {
  kind: 'end';
  status: EndStatus;
  endedAt: number;
}
export type Line = RunLine | Entry | ArtifactLine | EndLine;

export const lineOf = (line: Line): string => `${JSON.stringify(line)}\n`;

/** Ends a line that may be torn. The empty line behind it says that what it held comes again. */
export const MENDED = '\n\n';

const KINDS: ReadonlySet<string> = new Set(['run', 'metric', 'string', 'histogram', 'file', 'param', 'tag', 'artifact', 'end']);

/** A line of a record, or undefined when it is none: torn by a crash, or damaged. */
export function parseLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as { kind?: unknown } | null;
    return typeof line === 'object' && line !== null && KINDS.has(String(line.kind)) ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}

/** What people and every file system can read in a name; '' when nothing is left. */
export const readable = (text: string, length = 60): string =>
  Array.from(
    text
      .normalize('NFC')
      .replace(/[^\p{L}\p{N}\p{M}._-]+/gu, '-')
      .replace(/^[-.]+|[-.]+$/g, ''),
  )
    .slice(0, length)
    .join('');

/** Such as `20261125-024823_churn_first-try_3f2a9c1b`: when, which experiment, which run. */
export function folderName({ startedAt, experiment, name, runId }: Pick<RunLine, 'startedAt' | 'experiment' | 'name' | 'runId'>): string {
  const when = new Date(startedAt)
    .toISOString()
    .replace(/[-:]|\..*$/g, '')
    .replace('T', '-');
  return [when, readable(experiment, 30), readable(name ?? '', 30), runId.slice(0, 8)].filter((part) => part !== '').join('_');
}

export const recordOf = (folder: string): string => join(folder, RECORD);
export const fileOf = (folder: string, line: ArtifactLine): string => join(folder, FILES, line.file);
