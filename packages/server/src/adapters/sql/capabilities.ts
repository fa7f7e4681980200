import type { Kysely, RawBuilder } from 'kysely';

/** What an engine can do, and how it calls what every engine has: asked by stores and migrations, which know no engine by name. */
export interface SqlCapabilities {
  /** INSERT … RETURNING tells the id of a new row; without it, the driver does. */
  insertReturning: boolean;
  /** Moves a table's counter of ids behind one that was given by hand; null where it moves by itself. */
  moveCounter: ((table: string, id: number) => RawBuilder<unknown>) | null;
  /** INSERT … ON CONFLICT names the key whose row is replaced; without it, ON DUPLICATE KEY means any. */
  onConflict: boolean;
  /** A table is kept by its primary key only when told so. */
  withoutRowid: boolean;
  /** The part of ALTER TABLE that gives a column, never null, another type; null where a column takes every number whatever its type. */
  retyped: ((column: string, type: RawBuilder<unknown>) => RawBuilder<unknown>) | null;
  /** Rows after a key are found by comparing (a, b) > (x, y) at once; without it, column by column. */
  seeksByRow: boolean;
  /** What was to be created is there. */
  isAlreadyThere: (error: unknown) => boolean;
  /** Runs changes of the schema, passing over those that are done already. Only where each is a transaction of its own. */
  passingOverDone: (work: () => Promise<void>) => Promise<void>;
  /** The largest number that a column of the type `integer` holds. */
  maxInteger: bigint;
  /** A float may be NaN or infinite. */
  nonFinite: boolean;
  /** A text may hold U+0000. */
  nulInText: boolean;
  /** A text longer than its column is refused. */
  keepsLengths: boolean;
  /** The last number that a column gave to a row by itself, decimal; '0' before the first. */
  lastNumber: (db: Kysely<unknown>, table: string, column: string) => Promise<string>;
  /** Goes on behind a number. */
  setLastNumber: (db: Kysely<unknown>, table: string, column: string, value: string) => Promise<void>;
  types: {
    /** Bytes, up to 16 MB. */
    blob: () => RawBuilder<unknown>;
    /** A 64-bit float. */
    double: () => RawBuilder<unknown>;
  };
}

/** The capabilities of the engine behind a handle; each dialect's adapter carries its own. */
export function capabilitiesOf<DB>(db: Kysely<DB>): SqlCapabilities {
  return (db.getExecutor().adapter as unknown as { capabilities: SqlCapabilities }).capabilities;
}
