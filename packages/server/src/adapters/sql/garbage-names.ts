import { type Kysely, sql } from 'kysely';
import type { Database } from './schema/index.ts';
import { batches, padded } from './tracking/keys.ts';

/** Takes out names of metrics, params, tags and series that no run uses, of up to `limit` names behind an id. */
export async function purgeNames(db: Kysely<Database>, after: number, limit: number): Promise<{ purged: number; last: number | null }> {
  const names = await db.selectFrom('run_keys').select('id').where('id', '>', after).orderBy('id').limit(limit).execute();
  let purged = 0;
  for (const batch of batches(names.map(({ id }) => id))) {
    const idle = await unused(db, batch);
    if (idle.length === 0) continue;
    await db.deleteFrom('run_keys').where('id', 'in', padded(idle)).execute();
    purged += idle.length;
  }
  return { purged, last: names.length < limit ? null : (names.at(-1)?.id ?? null) };
}

async function unused(db: Kysely<Database>, ids: readonly number[]): Promise<number[]> {
  // First where an index by name says it at once.
  const absent = ['latest_metrics', 'run_params', 'run_tags'].map(
    (table) => sql<boolean>`not exists (select 1 from ${sql.table(table)} u where u.key_id = run_keys.id)`,
  );
  const rows = await db
    .selectFrom('run_keys')
    .select('id')
    .where('id', 'in', padded(ids))
    .where((e) => e.and(absent))
    .execute();
  const idle = new Set(rows.map(({ id }) => id));
  for (const table of ['metric_series', 'entry_series'] as const) {
    if (idle.size === 0) break;
    const used = await db
      .selectFrom(table)
      .select('key_id')
      .distinct()
      .where('key_id', 'in', padded([...idle]))
      .execute();
    for (const { key_id } of used) idle.delete(key_id);
  }
  return [...idle];
}
