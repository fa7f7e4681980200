import type { CompiledQuery, Kysely } from 'kysely';
import type { Database } from '../schema/index.ts';

/** Compiled statements of the write path by name: building one anew for each series costs more than running it. */
const compiled = new WeakMap<object, Map<string, CompiledQuery>>();

/**
 * Runs a statement that is compiled once a database. `build` writes it with any values, whose parameters `values` then replaces, in the
 * order in which the statement has them.
 */
export async function runHot(db: Kysely<Database>, name: string, build: () => { compile(): CompiledQuery }, values: readonly unknown[]): Promise<bigint> {
  const of = db.getExecutor().adapter;
  let statements = compiled.get(of);
  if (statements === undefined) {
    statements = new Map();
    compiled.set(of, statements);
  }
  let query = statements.get(name);
  if (query === undefined) {
    query = build().compile();
    statements.set(name, query);
  }
  const { numAffectedRows } = await db.executeQuery({ ...query, parameters: values });
  return numAffectedRows ?? 0n;
}
