import type { Kysely } from 'kysely';
import type { MigrateOptions } from './migrations/migrate.ts';
import type { Presence } from './pooled/presence.ts';
import type { Database } from './schema/index.ts';

/** A database that is reached, before anything is done with it. */
export interface SqlConnection {
  db: Kysely<Database>;
  /** Where it is, without a password, for messages. */
  place: string;
  /** The error as a room may show it; those that it does not know come back as they are. */
  translate(error: unknown): unknown;
  /** Brings its tables to the newest schema. */
  migrate(options?: MigrateOptions): Promise<void>;
  /** Says to other processes that this one is there, for as long as it is. Throws `conflict` when one that is there excludes it. */
  enter(how: 'beside others' | 'alone'): Promise<Presence>;
  close(): Promise<void>;
}
