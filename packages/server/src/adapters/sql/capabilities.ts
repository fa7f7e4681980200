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
