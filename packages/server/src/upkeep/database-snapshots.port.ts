export interface SnapshotFacts {
  /** Rows by table. */
  tables: Record<string, number>;
  /** The prediction log's sealed files as the snapshot lists them, relative to the log's folder. */
  segments: string[];
}

/** Copies of the metadata database as it was at one moment. */
export interface DatabaseSnapshots {
  /** Writes one to a file that does not exist yet, while others go on writing to the database. */
  take(file: string): Promise<SnapshotFacts>;
  /** What is in one. Throws `invalid` when it is damaged. */
  inspect(file: string): Promise<SnapshotFacts>;
}
