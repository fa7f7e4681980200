import type { Kysely } from 'kysely';
import { insertForId } from '../insert-id.ts';
import type { Database } from '../schema/index.ts';
import { selectHotIn, writeHot } from './hot.ts';
import { batches } from './lists.ts';

export { batches, padded } from './lists.ts';

export const KeyKind = { metric: 0, param: 1, tag: 2, string: 3, histogram: 4, file: 5 } as const;
export type KeyKind = (typeof KeyKind)[keyof typeof KeyKind];

/** The ids of names that an experiment's runs use; unknown ones are left out. */
export async function findKeys(db: Kysely<Database>, experimentId: number, kind: KeyKind, names: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const batch of batches(names)) {
    const rows = await selectHotIn<{ id: number; name: string }>(
      db,
      'find-keys',
      (list) =>
        db
          .selectFrom('run_keys')
          .select(['id', 'name'])
          .where('experiment_id', '=', 0)
          .where('kind', '=', 0)
          .where('name', 'in', list as string[]),
      [experimentId, kind],
      batch,
    );
    for (const { id, name } of rows) found.set(name, id);
  }
  return found;
}

/** Gives names that have none an id, and adds them to `found`. */
export async function internMissing(
  db: Kysely<Database>,
  experimentId: number,
  kind: KeyKind,
  names: Iterable<string>,
  found: Map<string, number>,
): Promise<void> {
  // In one order for all, so that two writers of the same new names wait for each other and do not lock each other out.
  const missing = [...new Set(names)].filter((name) => !found.has(name)).sort();
  const [only, ...others] = missing;
  if (only === undefined) return;
  if (others.length === 0) {
    found.set(only, await insertForId(db, 'run_keys', { experiment_id: experimentId, kind, name: only }));
    return;
  }
  await writeHot(
    db,
    'run_keys',
    missing.map((name) => ({ experiment_id: experimentId, kind, name })),
  );
  for (const [name, id] of await findKeys(db, experimentId, kind, missing)) found.set(name, id);
}
