export type GarbageKind = 'run' | 'logged model' | 'experiment';

export interface Garbage {
  kind: GarbageKind;
  id: string;
  name: string;
  /** Where its files are; null for an experiment whose files are only those of its runs and models. */
  artifactUri: string | null;
}

export interface KeptGarbage {
  kind: GarbageKind;
  id: string;
  name: string;
  /** A sentence. */
  reason: string;
}

/** What was deleted and can go for good. Each call is one transaction. */
export interface GarbageStore {
  /**
   * Logged models, then runs, then experiments that were deleted at `before` (ms) or earlier, with the models that such runs made and such experiments hold,
   * and that nothing uses: a registered version's run, model and files stay, so does a run that one which stays was forked from, and so does an experiment with anything in it that stays. Default is always kept.
   */
  find(before: number): Promise<{ garbage: Garbage[]; kept: KeptGarbage[] }>;
  /**
   * Removes those of them that may still go, with all that belongs to them, and returns what was removed, with points of metrics. Emits `files.orphaned` for
   * each that has files, in the same transaction.
   */
  purge(garbage: Garbage[], before: number): Promise<{ purged: Garbage[]; points: number }>;
  exists(kind: GarbageKind, id: string): Promise<boolean>;
  /** Files and folders that versions use, derived ones among them. */
  versionPaths(): Promise<string[]>;
  /**
   * Removes names of metrics, params, tags and series that no run uses any more, of up to `limit` names behind an id (0: from the first on). `last` is where to go on,
   * or null at the end.
   */
  purgeNames(after: number, limit: number): Promise<{ purged: number; last: number | null }>;
}
