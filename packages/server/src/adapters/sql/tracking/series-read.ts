import type { Kysely, Selectable } from 'kysely';
import type { Points, SeriesBuckets } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import type { MetricChunksTable, MetricSeriesTable } from '../schema/tracking.ts';
import { Bucketer } from './bucketer.ts';
import { bytesToDouble, decodeSegments } from './chunk-codec.ts';
import type { Part } from './forks.ts';
import { batches, KeyKind, padded } from './keys.ts';
import { concat, slice, sortUnique, upToStep } from './points.ts';

export type RunRef = Pick<Part, 'rid' | 'experiment_id'>;
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

/** A run's series of a metric, of which what lies beyond `until` does not count. */
interface Source {
  part: Part;
  rows: Selectable<MetricSeriesTable>[];
}

async function sourcesOf(db: Kysely<Database>, parts: readonly Part[], key: string): Promise<Source[]> {
  const sources: Source[] = [];
  for (const part of parts) {
    const keyId = await keyIdOf(db, part.experiment_id, key);
    if (keyId === undefined) continue;
    const rows = await db.selectFrom('metric_series').selectAll().where('rid', '=', part.rid).where('key_id', '=', keyId).execute();
    const reaching = rows.filter((row) => row.min_step <= part.until);
    if (reaching.length > 0) sources.push({ part, rows: reaching });
  }
  return sources;
}

/** Min/max buckets of one metric of one run, with the points that it has from the runs that it was forked from. */
export async function readBuckets(
  db: Kysely<Database>,
  parts: readonly Part[],
  key: string,
  maxPoints: number,
  range: { from: number | null; to: number | null },
): Promise<SeriesBuckets | undefined> {
  const sources = await sourcesOf(db, parts, key);
  if (sources.length === 0) return undefined;
  const { run_id } = parts[0] as Part;
  const forkStep = sources.some(({ part }) => part !== parts[0]) ? (parts[1] as Part).until : null;
  const asked = { from: range.from ?? Number.NEGATIVE_INFINITY, to: range.to ?? Number.POSITIVE_INFINITY };
  const exact = async () => {
    const all: Points[] = [];
    for (const { part } of sources) {
      const of = { from: asked.from, to: Math.min(asked.to, part.until) };
      all.push(inRange(await allPoints(db, part, key, of), of));
    }
    return { ...Bucketer.exact(run_id, key, all.length === 1 ? (all[0] as Points) : sortUnique(concat(all)), maxPoints), forkStep };
  };
  // Few points, or several series of a run whose points may coincide: exact, from the points themselves.
  const points = sources.reduce((sum, { rows }) => rows.reduce((n, row) => n + row.points, sum), 0);
  if (points <= maxPoints || sources.some(({ rows }) => rows.length > 1)) return exact();
  const stretches = await stretchesOf(db, sources, range);
  const low = Math.max(Math.min(...stretches.map(({ row }) => row.min_step)), asked.from);
  const high = Math.min(Math.max(...stretches.map(({ row, until }) => Math.min(row.max_step, until))), asked.to);
  const chunks = stretches.flatMap((stretch) => stretch.chunks);
  const inside = chunks.reduce((sum, chunk) => sum + chunk.points, 0) + stretches.reduce((sum, { row }) => sum + row.tail_points, 0);
  // One step for all points (log_metric without a step) is spread over time instead; so is a range of few points.
  if (low >= high || inside <= maxPoints * 2) return exact();
  const bucketer = new Bucketer(low, high, inside > SUMMARIES_ONLY ? Math.min(maxPoints, fittingBuckets(chunks, low, high)) : maxPoints);
  for (const stretch of stretches) await fill(db, bucketer, stretch, low, high);
  return { ...bucketer.result(run_id, key), forkStep };
}

type ChunkSummary = Omit<Selectable<MetricChunksTable>, 'data' | 'series_id'>;
interface Stretch {
  row: Selectable<MetricSeriesTable>;
  chunks: ChunkSummary[];
  until: number;
}

/** The only series of each source, with its chunks' summaries in a range. */
async function stretchesOf(db: Kysely<Database>, sources: readonly Source[], range: { from: number | null; to: number | null }): Promise<Stretch[]> {
  const stretches: Stretch[] = [];
  for (const { part, rows } of sources) {
    const row = rows[0] as Selectable<MetricSeriesTable>;
    let select = db
      .selectFrom('metric_chunks')
      .select(['seq', 'points', 'min_value', 'max_value', 'min_step', 'max_step', 'min_timestamp', 'max_timestamp', 'last_timestamp', 'last_value'])
      .where('series_id', '=', row.id);
    const to = Math.min(part.until, range.to ?? Number.POSITIVE_INFINITY);
    if (range.from !== null) select = select.where('max_step', '>=', range.from);
    if (Number.isFinite(to)) select = select.where('min_step', '<=', to);
    stretches.push({ row, chunks: await select.execute(), until: part.until });
  }
  return stretches;
}

async function fill(db: Kysely<Database>, bucketer: Bucketer, { row, chunks, until }: Stretch, low: number, high: number): Promise<void> {
  const decode: number[] = [];
  for (const chunk of chunks) {
    if (chunk.min_step >= low && chunk.max_step <= Math.min(high, until) && chunk.max_step - chunk.min_step <= bucketer.width)
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
    const found = await db.selectFrom('metric_chunks').select(['points', 'data']).where('series_id', '=', row.id).where('seq', 'in', padded(seqs)).execute();
    for (const { data, points } of found) bucketer.addPoints(upToStep(decodeSegments(data, points), until));
  }
  if (row.tail_points > 0) bucketer.addPoints(upToStep(decodeSegments(row.tail, row.tail_points), until));
}

/** Points beyond which a series is not decoded to be drawn: its buckets are then made wide enough for most chunks to fit into one. */
const SUMMARIES_ONLY = 200_000;

/** How many buckets there may be so that nine chunks in ten are no wider than one. */
function fittingBuckets(chunks: { min_step: number; max_step: number }[], low: number, high: number): number {
  const spans = chunks.map((chunk) => chunk.max_step - chunk.min_step).sort((a, b) => a - b);
  const wide = spans[Math.floor(spans.length * 0.9)] ?? 0;
  return wide === 0 ? Number.POSITIVE_INFINITY : Math.max(100, Math.floor((high - low) / wide));
}
