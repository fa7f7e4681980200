/** What an import brought, and what it was like elsewhere then: what was changed here since is told by it. */
export interface ImportMarksTable {
  kind: string;
  /** The id, name or number that it is known by elsewhere. */
  entity: string;
  /** The id here, where that is another. */
  target: string | null;
  /** Of the whole thing, when it came in whole. */
  digest: string | null;
  /** JSON: a hash of each field's value as it was imported last. */
  fields: string;
}

export interface ImportTables {
  import_marks: ImportMarksTable;
}
