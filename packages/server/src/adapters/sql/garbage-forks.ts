import type { Kysely } from 'kysely';
import type { Database } from './schema/index.ts';
import { batches, padded } from './tracking/keys.ts';

/**
 * Of runs that could go, those that a run which stays was forked from (directly or not), with that fork's id: its first points are theirs.
 * `going` are the others, forks before what they were forked from.
 */
export async function heldByForks(db: Kysely<Database>, candidates: readonly string[]): Promise<{ held: Map<string, string>; going: string[] }> {
  const parents = await parentsAmong(db, candidates);
  const going = new Set(candidates);
  const held = new Map<string, string>();
  const staying = [...parents.keys()].filter((fork) => !going.has(fork));
  for (let fork = staying.pop(); fork !== undefined; fork = staying.pop()) {
    const parent = parents.get(fork);
    if (parent === undefined || !going.delete(parent)) continue;
    held.set(parent, fork);
    staying.push(parent);
  }
  const depths = new Map<string, number>();
  for (const run of going) {
    let depth = 0;
    for (let at = parents.get(run); at !== undefined; at = parents.get(at)) depth++;
    depths.set(run, depth);
  }
  return { held, going: [...going].sort((a, b) => (depths.get(b) as number) - (depths.get(a) as number)) };
}

/** What was forked from one of the runs, and from which. */
async function parentsAmong(db: Kysely<Database>, runIds: readonly string[]): Promise<Map<string, string>> {
  const parents = new Map<string, string>();
  for (const ids of batches(runIds)) {
    const rows = await db
      .selectFrom('runs as parent')
      .innerJoin('runs as fork', 'fork.fork_rid', 'parent.rid')
      .select(['parent.run_id as parent', 'fork.run_id as fork'])
      .where('parent.run_id', 'in', padded(ids))
      .execute();
    for (const { parent, fork } of rows) parents.set(fork, parent);
  }
  return parents;
}
