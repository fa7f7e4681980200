import type { Kysely } from 'kysely';
import type { Points } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { decodeSegments } from './chunk-codec.ts';
import { batches, padded } from './keys.ts';
import { comparePoints, concat, pick, slice, sortUnique } from './points.ts';
import { allPoints, keyIdOf, NONE, type RunRef } from './series-read.ts';

/** By (timestamp, step, value), from just after `after`, as MLflow pages a history. */
export async function metricHistory(
  db: Kysely<Database>,
  run: RunRef,
  key: string,
  limit: number | null,
  after: [number, number, number] | null,
): Promise<Points & { more: boolean }> {
  const page = limit === null ? undefined : await chunksOfPage(db, run, key, limit, after);
  const all = byTime(page?.points ?? (await allPoints(db, run, key)));
  const from = after === null ? 0 : firstAfter(all, after);
  const to = limit === null ? all.steps.length : Math.min(all.steps.length, from + limit);
  const { steps, timestamps, values } = slice(all, from, to);
  // Copies: a message to another thread would carry the whole buffer of a view.
  return { steps: steps.slice(), timestamps: timestamps.slice(), values: values.slice(), more: to < all.steps.length || page?.more === true };
}

/**
 * The points that a page of a long series can come from: its chunks from `after` on, in order of time, until they hold enough. Undefined
 * when the metric has several series, whose points may coincide, or no chunks: then all points are read.
 */
async function chunksOfPage(
  db: Kysely<Database>,
  run: RunRef,
  key: string,
  limit: number,
  after: [number, number, number] | null,
): Promise<{ points: Points; more: boolean } | undefined> {
  const keyId = await keyIdOf(db, run.experiment_id, key);
  if (keyId === undefined) return undefined;
  const [series, ...others] = await db
    .selectFrom('metric_series')
    .select(['id', 'chunks', 'tail', 'tail_points'])
    .where('rid', '=', run.rid)
    .where('key_id', '=', keyId)
    .execute();
  if (series === undefined || others.length > 0 || series.chunks < 2) return undefined;
  const since = after?.[0] ?? Number.MIN_SAFE_INTEGER;
  const chunks = await db
    .selectFrom('metric_chunks')
    .select(['seq', 'points', 'min_timestamp', 'max_timestamp'])
    .where('series_id', '=', series.id)
    .where('max_timestamp', '>=', since)
    .orderBy('min_timestamp')
    .execute();
  let certain = 0;
  let until = Number.NEGATIVE_INFINITY;
  const wanted: number[] = [];
  for (const chunk of chunks) {
    if (certain > limit && chunk.min_timestamp > until) break;
    wanted.push(chunk.seq);
    // Of a chunk that begins before the page some points may lie before it, so it does not count.
    if (chunk.min_timestamp > since) certain += chunk.points;
    until = Math.max(until, chunk.max_timestamp);
  }
  const parts: Points[] = [];
  for (const seqs of batches(wanted, 200)) {
    const rows = await db.selectFrom('metric_chunks').select(['points', 'data']).where('series_id', '=', series.id).where('seq', 'in', padded(seqs)).execute();
    for (const row of rows) parts.push(decodeSegments(row.data, row.points));
  }
  const more = wanted.length < chunks.length;
  if (series.tail_points > 0) parts.push(decodeSegments(series.tail, series.tail_points));
  const points = parts.length === 0 ? NONE : sortUnique(concat(parts));
  // Points beyond the last chunk taken belong to a later page: chunks that were not read may hold earlier ones.
  return { points: more ? upTo(points, until) : points, more };
}

function upTo(points: Points, timestamp: number): Points {
  const kept: number[] = [];
  for (let i = 0; i < points.timestamps.length; i++) if ((points.timestamps[i] as number) <= timestamp) kept.push(i);
  return kept.length === points.timestamps.length ? points : pick(points, kept);
}

const swapped = ({ steps, timestamps, values }: Points): Points => ({ steps: timestamps, timestamps: steps, values });

/** Sorted by (timestamp, step, value); the input itself when time and step run alike. */
function byTime(points: Points): Points {
  return swapped(sortUnique(swapped(points)));
}

function firstAfter(points: Points, [timestamp, step, value]: [number, number, number]): number {
  const key: Points = { steps: Float64Array.of(timestamp), timestamps: Float64Array.of(step), values: Float64Array.of(value) };
  const view = swapped(points);
  let low = 0;
  let high = points.steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comparePoints(view, middle, key, 0) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The first of each of `limit` even pieces, and the last point, as MLflow samples. */
export async function sampleMetric(db: Kysely<Database>, run: RunRef, key: string, limit: number, range: { from: number; to: number } | null): Promise<Points> {
  const all = await allPoints(db, run, key, range);
  const count = all.steps.length;
  if (count <= limit)
    return pick(
      all,
      Array.from({ length: count }, (_, i) => i),
    );
  if (limit === 1) return pick(all, [count - 1]);
  const long = count % limit;
  const size = Math.floor(count / limit);
  const indices = Array.from({ length: limit }, (_, i) => i * size + Math.min(i, long));
  indices[limit - 1] = count - 1;
  return pick(all, indices);
}
