import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { MetricKeySummary, Points, SeriesBuckets } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { contains } from '../text-search.ts';
import { Bucketer } from './bucketer.ts';
import { bytesToDouble, decodeSegments } from './chunk-codec.ts';
import { batches, KeyKind, padded } from './keys.ts';
import { concat, restore, slice, sortUnique } from './points.ts';

export interface RunRef {
  rid: number;
  run_id: string;
  experiment_id: number;
}
export const NONE: Points = { steps: new Float64Array(0), timestamps: new Float64Array(0), values: new Float64Array(0) };

export async function keyIdOf(db: Kysely<Database>, experimentId: number, key: string): Promise<number | undefined> {
  return (
    await db
      .selectFrom('run_keys')
      .select('id')
      .where('experiment_id', '=', experimentId)
      .where('kind', '=', KeyKind.metric)
      .where('name', '=', key)
      .executeTakeFirst()
  )?.id;
}

/** Every point of a run's metric over all of its series, sorted by (step, timestamp, value), each once. */
export async function allPoints(db: Kysely<Database>, run: RunRef, key: string, range: { from: number; to: number } | null = null): Promise<Points> {
  const keyId = await keyIdOf(db, run.experiment_id, key);
  if (keyId === undefined) return NONE;
  const series = await db
    .selectFrom('metric_series')
    .select(['id', 'chunks', 'tail', 'tail_points', 'min_step', 'max_step'])
    .where('rid', '=', run.rid)
    .where('key_id', '=', keyId)
    .execute();
  const parts: Points[] = [];
  for (const row of series) {
    if (range !== null && (row.max_step < range.from || row.min_step > range.to)) continue;
    if (row.chunks > 0) {
      let chunks = db.selectFrom('metric_chunks').select(['points', 'data']).where('series_id', '=', row.id);
      // An open end is no number that an integer column could be compared with.
      if (range !== null && Number.isFinite(range.from)) chunks = chunks.where('max_step', '>=', range.from);
      if (range !== null && Number.isFinite(range.to)) chunks = chunks.where('min_step', '<=', range.to);
      for (const chunk of await chunks.orderBy('seq').execute()) parts.push(decodeSegments(chunk.data, chunk.points));
    }
    if (row.tail_points > 0) parts.push(decodeSegments(row.tail, row.tail_points));
  }
  if (parts.length === 0) return NONE;
  return inRange(sortUnique(concat(parts)), range);
}

function inRange(points: Points, range: { from: number; to: number } | null): Points {
  if (range === null) return points;
  let from = 0;
  while (from < points.steps.length && (points.steps[from] as number) < range.from) from++;
  let to = points.steps.length;
  while (to > from && (points.steps[to - 1] as number) > range.to) to--;
  return from === 0 && to === points.steps.length ? points : slice(points, from, to);
}

/** Min/max buckets of one metric of one run. */
export async function readBuckets(
  db: Kysely<Database>,
  run: RunRef,
  key: string,
  maxPoints: number,
  range: { from: number | null; to: number | null },
): Promise<SeriesBuckets | undefined> {
  const keyId = await keyIdOf(db, run.experiment_id, key);
  if (keyId === undefined) return undefined;
  const series = await db.selectFrom('metric_series').selectAll().where('rid', '=', run.rid).where('key_id', '=', keyId).execute();
  const first = series[0];
  if (first === undefined) return undefined;
  const asked = { from: range.from ?? Number.NEGATIVE_INFINITY, to: range.to ?? Number.POSITIVE_INFINITY };
  const [only, ...others] = series;
  // Few points, or several series whose points may coincide: exact, from the points themselves.
  const points = series.reduce((sum, row) => sum + row.points, 0);
  if (only === undefined || others.length > 0 || points <= maxPoints)
    return Bucketer.exact(run.run_id, key, inRange(await allPoints(db, run, key, asked), asked), maxPoints);
  let select = db
    .selectFrom('metric_chunks')
    .select(['seq', 'points', 'min_value', 'max_value', 'min_step', 'max_step', 'min_timestamp', 'max_timestamp', 'last_timestamp', 'last_value'])
    .where('series_id', '=', only.id);
  if (range.from !== null) select = select.where('max_step', '>=', range.from);
  if (range.to !== null) select = select.where('min_step', '<=', range.to);
  const chunks = await select.execute();
  const low = Math.max(only.min_step, asked.from);
  const high = Math.min(only.max_step, asked.to);
  const inside = chunks.reduce((sum, chunk) => sum + chunk.points, 0) + only.tail_points;
  // One step for all points (log_metric without a step) is spread over time instead; so is a range of few points.
  if (low >= high || inside <= maxPoints * 2) return Bucketer.exact(run.run_id, key, inRange(await allPoints(db, run, key, asked), asked), maxPoints);
  const bucketer = new Bucketer(low, high, inside > SUMMARIES_ONLY ? Math.min(maxPoints, fittingBuckets(chunks, low, high)) : maxPoints);
  const decode: number[] = [];
  for (const chunk of chunks) {
    const within = chunk.min_step >= low && chunk.max_step <= high && chunk.max_step - chunk.min_step <= bucketer.width;
    if (within)
      bucketer.addSummary({
        minValue: chunk.min_value,
        maxValue: chunk.max_value,
        points: chunk.points,
        lastStep: chunk.max_step,
        lastTimestamp: chunk.last_timestamp,
        lastValue: bytesToDouble(chunk.last_value),
      });
    else decode.push(chunk.seq);
  }
  for (const seqs of batches(decode, 200)) {
    const rows = await db.selectFrom('metric_chunks').select(['points', 'data']).where('series_id', '=', only.id).where('seq', 'in', padded(seqs)).execute();
    for (const row of rows) bucketer.addPoints(decodeSegments(row.data, row.points));
  }
  if (only.tail_points > 0) bucketer.addPoints(decodeSegments(only.tail, only.tail_points));
  return bucketer.result(run.run_id, key);
}

/** Points beyond which a series is not decoded to be drawn: its buckets are then made wide enough for most chunks to fit into one. */
const SUMMARIES_ONLY = 200_000;

/** How many buckets there may be so that nine chunks in ten are no wider than one. */
function fittingBuckets(chunks: { min_step: number; max_step: number }[], low: number, high: number): number {
  const spans = chunks.map((chunk) => chunk.max_step - chunk.min_step).sort((a, b) => a - b);
  const wide = spans[Math.floor(spans.length * 0.9)] ?? 0;
  return Math.max(100, Math.floor((high - low + 1) / Math.max(1, wide)));
}

/** Keys by name with their latest point and the extent of all series of the key. */
export async function listMetricKeys(
  db: Kysely<Database>,
  run: RunRef,
  query: { q: string | null; limit: number; after: string | null },
): Promise<{ metrics: MetricKeySummary[]; more: boolean }> {
  const where = [sql<boolean>`k.experiment_id = ${run.experiment_id} and k.kind = ${KeyKind.metric}`];
  if (query.q !== null && query.q !== '') where.push(contains(sql.ref('k.name'), query.q));
  if (query.after !== null) where.push(sql<boolean>`k.name > ${query.after}`);
  const { rows } = await sql<{ key_id: number; name: string; value: number | null; infinite: number; step: number; timestamp: number }>`
    select k.id as key_id, k.name, l.value, l.infinite, l.step, l.timestamp from run_keys k cross join latest_metrics l
    where l.rid = ${run.rid} and l.key_id = k.id and ${sql.join(where, sql` and `)} order by k.name limit ${query.limit + 1}`.execute(db);
  const page = rows.slice(0, query.limit);
  const extents = new Map<number, { points: number; min: number | null; max: number | null }>();
  for (const ids of batches(page.map((row) => row.key_id))) {
    const found = await db
      .selectFrom('metric_series')
      .select(({ fn }) => ['key_id', fn.sum<number>('points').as('points'), fn.min('min_value').as('min'), fn.max('max_value').as('max')])
      .where('rid', '=', run.rid)
      .where('key_id', 'in', padded(ids))
      .groupBy('key_id')
      .execute();
    for (const row of found) extents.set(row.key_id, { points: Number(row.points), min: row.min, max: row.max });
  }
  const metrics = page.map((row): MetricKeySummary => {
    const extent = extents.get(row.key_id);
    return {
      key: row.name,
      value: restore(row.value, row.infinite),
      step: row.step,
      timestamp: row.timestamp,
      count: extent?.points ?? 0,
      min: extent?.min ?? Number.NaN,
      max: extent?.max ?? Number.NaN,
    };
  });
  return { metrics, more: rows.length > query.limit };
}
