import type { EndStatus, Entry } from './entries.ts';

/** Where a run logger's entries go: to a server, or into a folder. Nothing of it throws. */
export interface RunSink {
  /** Takes entries without waiting. */
  add(entries: readonly Entry[]): void;
  /** Stores an artifact of the run, and logs the entries that refer to it; resolves when that is done or given up. */
  put(path: string, content: Blob, after?: readonly Entry[]): Promise<void>;
  /** Counts and tells of what cannot be logged at all. */
  refuse(what: string, error: unknown): void;
  /** Resolves when what was added is durable, or kept for the next try. */
  flush(): Promise<void>;
  /** Brings the rest to its place and ends the run. */
  end(status: EndStatus, endedAt: number): Promise<void>;
  /** What was given up so far. */
  readonly dropped: number;
}
