/** What a column holds. */
export type ColumnKind = 'integer' | 'bigint' | 'double' | 'text' | 'bytes';

export interface MovableColumn {
  name: string;
  kind: ColumnKind;
  /** Of a text, in characters (code points); null: any length. */
  maxLength: number | null;
}

export interface MovableTable {
  name: string;
  /** By name, so that they come in the same order from every database. */
  columns: MovableColumn[];
  /** Positions in `columns` of the primary key, in its order. */
  key: number[];
  /** The column that the database numbers by itself, or null. */
  numbered: string | null;
}

/** A value as every database can give it: integers as decimal digits, doubles as numbers, bytes as bytes. */
export type MovableValue = string | number | Uint8Array | null;
/** In the order of a table's columns. */
export type MovableRow = MovableValue[];

/** What is being moved, or was. */
export interface MoveMark {
  /** The source's identity. */
  source: string;
  /** Where it was, for a person. */
  from: string;
  startedAt: number;
  finishedAt: number | null;
}

/** What a column of a database cannot hold. */
export interface StorageLimits {
  /** Texts longer than their column are refused. */
  lengths: boolean;
  /** Largest number of an `integer` column, and of a `bigint`. */
  maxInteger: bigint;
  maxBigint: bigint;
  nonFinite: boolean;
  nulInText: boolean;
}

/** What a database that is to be filled holds. */
export type Contents =
  | { kind: 'empty' }
  /** A move into it was begun, or done. */
  | { kind: 'move'; mark: MoveMark }
  /** A sentence says what. */
  | { kind: 'other'; what: string };

/** A whole database, table by table, whatever engine it is. Nobody else uses it meanwhile. */
export interface MovableDatabase {
  /** Without a password. */
  readonly place: string;
  readonly limits: StorageLimits;
  /** Tells databases apart, and stays when one is moved to another place. */
  identity(): Promise<string>;
  contents(): Promise<Contents>;
  /** Makes the tables, and notes that they are not complete: no server starts on them until `finish`. */
  begin(mark: MoveMark): Promise<void>;
  /** Throws `unavailable` (migration_disturbed) when somebody else may have used it since it was opened. */
  undisturbed(): Promise<void>;
  finish(mark: MoveMark): Promise<void>;
  /** Every table of the newest schema, by name. */
  tables(): Promise<MovableTable[]>;
  count(table: MovableTable): Promise<number>;
  /** Rows by primary key, behind one; no more than the limits say, but one at least while there is any. Texts are ordered by their UTF-8 bytes. */
  rows(table: MovableTable, after: MovableRow | null, limit: { rows: number; bytes: number }): Promise<MovableRow[]>;
  /** The row with the greatest primary key. */
  lastRow(table: MovableTable): Promise<MovableRow | null>;
  /** In one transaction. */
  insert(table: MovableTable, rows: MovableRow[]): Promise<void>;
  clear(table: MovableTable): Promise<void>;
  /** The last number that was given, decimal. */
  lastNumber(table: MovableTable): Promise<string>;
  setLastNumber(table: MovableTable, value: string): Promise<void>;
  close(): Promise<void>;
}
