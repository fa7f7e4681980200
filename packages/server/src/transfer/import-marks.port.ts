/** A thing that an import brought. */
export interface ImportMark {
  /** The id, name or number that it is known by where it comes from. */
  id: string;
  /** The id here, where that is another. */
  target: string | null;
  /** What it was like when it came in whole; null when that did not come to its end. */
  digest: string | null;
}

/** What was imported, by kind. */
export interface ImportMarks {
  /** Those of the ids that are known. */
  known(kind: string, ids: string[]): Promise<ImportMark[]>;
  finish(kind: string, done: { id: string; digest: string }[]): Promise<void>;
}
