import { type CompiledQuery, type InsertQueryBuilder, type Kysely, type RawBuilder, sql } from 'kysely';
import { capabilitiesOf } from '../capabilities.ts';
import type { Database } from '../schema/index.ts';
import { padded } from './lists.ts';

/** A statement that is asked for again and again: a driver may keep it prepared under its name. */
export interface HotQuery extends CompiledQuery {
  readonly hot: string;
}
interface Buildable {
  compile(): CompiledQuery;
}

/** Compiled statements of the write path by name: building one anew for each series costs more than running it. */
const compiled = new WeakMap<object, Map<string, HotQuery>>();

function hotQuery(db: Kysely<Database>, name: string, build: () => Buildable): HotQuery {
  const of = db.getExecutor().adapter;
  let statements = compiled.get(of);
  if (statements === undefined) {
    statements = new Map();
    compiled.set(of, statements);
  }
  let query = statements.get(name);
  if (query === undefined) {
    query = { ...build().compile(), hot: name };
    statements.set(name, query);
  }
  return query;
}

/**
 * Rows of a statement that is compiled once a database. `build` writes it with any values, whose parameters `values` then replaces, in the
 * order in which the statement has them.
 */
export async function selectHot<Row>(db: Kysely<Database>, name: string, build: () => Buildable, values: readonly unknown[]): Promise<Row[]> {
  return (await db.executeQuery<Row>({ ...hotQuery(db, name, build), parameters: values } as HotQuery)).rows;
}

/** The same for a statement that ends with a list for IN, as long as a power of two. */
export function selectHotIn<Row>(
  db: Kysely<Database>,
  name: string,
  build: (list: readonly (string | number)[]) => Buildable,
  values: readonly unknown[],
  list: readonly (string | number)[],
): Promise<Row[]> {
  const full = padded(list);
  return selectHot(db, `${name} ${full.length}`, () => build(full), [...values, ...full]);
}

/** Most rows in one statement of `writeHot`. */
const MOST_ROWS = 64;

/** How `writeHot` treats rows that are there already. */
interface Replace<T extends keyof Database> {
  /** The columns that say which row it is. */
  key: readonly (keyof Database[T] & string)[];
  /** Those of the others that never change. */
  fixed?: readonly (keyof Database[T] & string)[];
}

/**
 * Inserts rows, each with the same columns in the same order; with `replace`, into the places of those that are there already. As many rows a
 * statement as a power of two has, so that few statements do for any number of rows.
 */
export async function writeHot<T extends keyof Database>(
  db: Kysely<Database>,
  table: T,
  rows: readonly Record<string, unknown>[],
  replace?: Replace<T>,
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first);
  const kept =
    replace === undefined ? columns : columns.filter((column) => !replace.key.includes(column as never) && !replace.fixed?.includes(column as never));
  const name = `${replace === undefined ? 'insert' : 'replace'} ${table} ${columns.join()}`;
  const writes: Promise<unknown>[] = [];
  for (let at = 0; at < rows.length; ) {
    const size = Math.min(MOST_ROWS, 2 ** Math.floor(Math.log2(rows.length - at)));
    const some = rows.slice(at, at + size);
    writes.push(
      selectHot(
        db,
        `${name} ${size}`,
        () => {
          const insert = db.insertInto(table).values(some as never);
          return replace === undefined ? insert : replacing(db, insert as never, replace.key, kept);
        },
        some.flatMap((row) => columns.map((column) => row[column])),
      ),
    );
    at += size;
  }
  await Promise.all(writes);
}

function replacing(db: Kysely<Database>, insert: InsertQueryBuilder<Database, 'runs', never>, key: readonly string[], columns: readonly string[]): Buildable {
  const set = (valueOf: (column: string) => RawBuilder<unknown>) => Object.fromEntries(columns.map((column) => [column, valueOf(column)]));
  return capabilitiesOf(db).onConflict
    ? insert.onConflict((on) => on.columns(key as never).doUpdateSet(set((column) => sql`excluded.${sql.ref(column)}`)))
    : insert.onDuplicateKeyUpdate(set((column) => sql`values(${sql.ref(column)})`));
}
