import type { Kysely } from 'kysely';
import type { Database } from '../schema/index.ts';

export const KeyKind = { metric: 0, param: 1, tag: 2 } as const;
export type KeyKind = (typeof KeyKind)[keyof typeof KeyKind];

/** Most values in one IN list; SQLite takes 32,766 parameters a statement. */
export const MAX_IN = 1000;

/**
 * A list for IN, padded to a power of two by repeating its last item: lists of many lengths then share few prepared statements.
 * The list must not be empty.
 */
export function padded<T>(items: readonly T[]): T[] {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, items.length)));
  const last = items[items.length - 1] as T;
  return items.length === size ? [...items] : [...items, ...Array.from({ length: size - items.length }, () => last)];
}

export function* batches<T>(items: readonly T[], size = MAX_IN): Iterable<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/** The ids of names that an experiment's runs use; unknown ones are left out. */
export async function findKeys(db: Kysely<Database>, experimentId: number, kind: KeyKind, names: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const batch of batches(names)) {
    const rows = await db
      .selectFrom('run_keys')
      .select(['id', 'name'])
      .where('experiment_id', '=', experimentId)
      .where('kind', '=', kind)
      .where('name', 'in', padded(batch))
      .execute();
    for (const { id, name } of rows) found.set(name, id);
  }
  return found;
}

/** The same, and those that are new get one. */
export async function internKeys(db: Kysely<Database>, experimentId: number, kind: KeyKind, names: readonly string[]): Promise<Map<string, number>> {
  const found = await findKeys(db, experimentId, kind, names);
  // In one order for all, so that two writers of the same new names wait for each other and do not lock each other out.
  const missing = [...new Set(names)].filter((name) => !found.has(name)).sort();
  if (missing.length === 0) return found;
  for (const batch of batches(missing, 500)) {
    await db
      .insertInto('run_keys')
      .values(batch.map((name) => ({ experiment_id: experimentId, kind, name })))
      .execute();
  }
  for (const [name, id] of await findKeys(db, experimentId, kind, missing)) found.set(name, id);
  return found;
}
