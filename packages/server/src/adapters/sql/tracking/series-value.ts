import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from '../schema/index.ts';
import { decodeSegments } from './chunk-codec.ts';
import { batches, padded } from './lists.ts';
import { clamp } from './points.ts';

/** Series looked at together, and chunks decoded together: what one search holds of them in memory. */
const SERIES = 200;
const CHUNKS = 64;

/**
 * The series of logged models' metrics (rows of `logged_model_metrics` as `c`) with a point of exactly this value that is neither their least, their greatest
 * nor their latest: only chunks whose range holds the value are decoded.
 */
export async function seriesWithInnerValue(db: Kysely<Database>, where: RawBuilder<boolean>, value: number): Promise<number[]> {
  const { rows } = await sql<{ series_id: number }>`
    select c.series_id as series_id from logged_model_metrics c join logged_models m on m.model_id = c.model_id
    where ${where} and c.min_value < ${value} and c.max_value > ${value} and (c.value is null or c.value <> ${value})`.execute(db);
  const found: number[] = [];
  for (const ids of batches(
    rows.map((row) => row.series_id),
    SERIES,
  ))
    found.push(...(await ofSome(db, ids, value)));
  return found;
}

async function ofSome(db: Kysely<Database>, ids: number[], value: number): Promise<Set<number>> {
  const found = new Set<number>();
  const holds = (data: Uint8Array, points: number) => points > 0 && decodeSegments(data, points).values.some((one) => clamp(one) === value);
  const tails = await db.selectFrom('metric_series').select(['id', 'tail', 'tail_points']).where('id', 'in', padded(ids)).execute();
  for (const { id, tail, tail_points } of tails) if (holds(tail, tail_points)) found.add(id);
  const chunks = await db
    .selectFrom('metric_chunks')
    .select(['series_id', 'seq', 'min_value', 'max_value'])
    .where('series_id', 'in', padded(ids))
    .where('min_value', '<=', value)
    .where('max_value', '>=', value)
    .execute();
  for (const chunk of chunks) if (chunk.min_value === value || chunk.max_value === value) found.add(chunk.series_id);
  for (const some of batches(chunks, CHUNKS)) {
    const open = some.filter(({ series_id }) => !found.has(series_id));
    if (open.length === 0) continue;
    const data = await db
      .selectFrom('metric_chunks')
      .select(['series_id', 'data', 'points'])
      .where((eb) => eb.or(open.map(({ series_id, seq }) => eb.and([eb('series_id', '=', series_id), eb('seq', '=', seq)]))))
      .execute();
    for (const row of data) if (!found.has(row.series_id) && holds(row.data, row.points)) found.add(row.series_id);
  }
  return found;
}
