import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { PointBatch, Points, SeriesOwner } from '../../../tracking/index.ts';
import { insertForId } from '../insert-id.ts';
import type { Database } from '../schema/index.ts';
import { bytesToDouble, decodeSegments, doubleBytes, encodeSegment } from './chunk-codec.ts';
import { selectHot, writeHot } from './hot.ts';
import { internMissing, KeyKind } from './keys.ts';
import { type Fresh, type KnownKey, readKnown, type SeriesRow } from './series-known.ts';
import { updateModelMetric, writeLatest } from './series-latest.ts';
import { namesOf } from './run-text.ts';
import { comparePoints, concat, merge, overlaps, type PointSummary, pointOf, slice, sortUnique, summarize, without } from './points.ts';

/** About how many points a chunk holds. */
const CHUNK_POINTS = 1000;
/** Bytes of a tail from which on it goes into a chunk: each append writes the tail anew, each compaction a chunk. */
const TAIL_BYTES = 1536;
const EMPTY = new Uint8Array(0);

/** '' for a plain series, else a hash of what it was measured on. */
export const variantOf = ({ modelId, datasetName, datasetDigest }: SeriesOwner): string =>
  modelId === null && datasetName === null && datasetDigest === null
    ? ''
    : createHash('sha1')
        .update(JSON.stringify([modelId, datasetName, datasetDigest]))
        .digest('hex');

/**
 * Adds points to a run's series. A point that is there already is left out, so that a retried request is harmless: only series whose range
 * of steps and times the new points touch are decoded to find out.
 * @param read What `readKnown` told of the batch's keys.
 */
export async function writePoints(
  db: Kysely<Database>,
  run: { rid: number; run_id: string; experiment_id: number },
  batch: PointBatch,
  read?: ReadonlyMap<string, KnownKey>,
): Promise<void> {
  const known = read ?? (await readKnown(db, run.run_id, namesOf(batch.series)));
  const ids = new Map([...known].map(([name, { keyId }]) => [name, keyId]));
  await internMissing(
    db,
    run.experiment_id,
    KeyKind.metric,
    batch.series.map(({ key }) => key),
    ids,
  );
  const fresh: Fresh[] = [];
  for (const [i, owner] of batch.series.entries()) {
    const points = sortUnique(slice(batch, batch.offsets[i] as number, batch.offsets[i + 1] as number));
    if (points.steps.length > 0) fresh.push({ key: owner.key, keyId: ids.get(owner.key) as number, variant: variantOf(owner), owner, points });
  }
  const changes: SeriesChanges = { added: [], changed: [], chunks: [] };
  const ofModels: { id: number; series: Fresh }[] = [];
  for (const series of fresh) {
    const row = known.get(series.key)?.series.get(series.variant);
    // New series that need no id go in together.
    if (row === undefined && series.owner.modelId === null && series.points.steps.length < CHUNK_POINTS) {
      changes.added.push(seriesColumns(run.rid, series, []));
      continue;
    }
    const id = row === undefined ? await insertSeries(db, run.rid, series, changes) : await appendSeries(db, row, series.points, changes);
    if (series.owner.modelId !== null && id !== undefined) ofModels.push({ id, series });
  }
  await Promise.all([
    writeHot(db, 'metric_series', changes.added),
    writeHot(db, 'metric_series', changes.changed, { key: ['id'], fixed: ['rid', 'key_id', 'variant', 'model_id', 'dataset_name', 'dataset_digest'] }),
    writeHot(db, 'metric_chunks', changes.chunks, { key: ['series_id', 'seq'] }),
    writeLatest(db, run.rid, known, fresh),
  ]);
  for (const { id, series } of ofModels) await updateModelMetric(db, run.run_id, id, series);
}

/** Rows to write when all series have been looked at. */
interface SeriesChanges {
  added: Record<string, unknown>[];
  changed: Record<string, unknown>[];
  chunks: Record<string, unknown>[];
}

async function insertSeries(db: Kysely<Database>, rid: number, series: Fresh, changes: SeriesChanges): Promise<number> {
  const chunks = series.points.steps.length >= CHUNK_POINTS ? chunksOf(series.points) : [];
  const id = await insertForId(db, 'metric_series', seriesColumns(rid, series, chunks));
  changes.chunks.push(...chunkRows(id, 0, chunks));
  return id;
}

function seriesColumns(rid: number, { keyId, variant, owner, points }: Fresh, chunks: Points[]) {
  const count = points.steps.length;
  return {
    rid,
    key_id: keyId,
    variant,
    model_id: owner.modelId,
    dataset_name: owner.datasetName,
    dataset_digest: owner.datasetDigest,
    ...summaryColumns(summarize(points)),
    ...lastColumns(points),
    chunks: chunks.length,
    tail_points: chunks.length > 0 ? 0 : count,
    tail: chunks.length > 0 ? EMPTY : encodeSegment(points),
  };
}

/** What points make of a series; undefined when all of them are there already. */
async function appendSeries(db: Kysely<Database>, row: SeriesRow, incoming: Points, changes: SeriesChanges): Promise<number | undefined> {
  const { chunks: closed, tail_points, tail } = row;
  const known: PointSummary = {
    points: row.points,
    minValue: row.min_value,
    maxValue: row.max_value,
    minStep: row.min_step,
    maxStep: row.max_step,
    minTimestamp: row.min_timestamp,
    maxTimestamp: row.max_timestamp,
  };
  let points = incoming;
  if (overlaps(known, summarize(incoming))) {
    if (tail_points > 0) points = without(points, sortUnique(decodeSegments(tail, tail_points)));
    if (closed > 0) points = await withoutStored(db, row.id, points);
    if (points.steps.length === 0) return undefined;
  }
  const last = points.steps.length - 1;
  const newer = comparePoints(points, last, pointOf(row.last_step, row.last_timestamp, bytesToDouble(row.last_value)), 0) > 0;
  const data = append(tail, encodeSegment(points));
  const full = data.length >= TAIL_BYTES || tail_points + points.steps.length >= CHUNK_POINTS;
  const chunks = full ? await compact(db, row, points) : [];
  changes.chunks.push(...chunks);
  changes.changed.push({
    id: row.id,
    rid: row.rid,
    key_id: row.key_id,
    variant: row.variant,
    model_id: row.model_id,
    dataset_name: row.dataset_name,
    dataset_digest: row.dataset_digest,
    ...summaryColumns(merge(known, summarize(points))),
    ...(newer ? lastColumns(points) : { last_step: row.last_step, last_timestamp: row.last_timestamp, last_value: row.last_value }),
    chunks: full ? Math.max(closed, ...chunks.map(({ seq }) => seq + 1)) : closed,
    tail_points: full ? 0 : tail_points + points.steps.length,
    tail: full ? EMPTY : data,
  });
  return row.id;
}

/** The chunks that a tail and what comes to it become: the last one, while it has room, takes them in. */
async function compact(db: Kysely<Database>, row: SeriesRow, points: Points) {
  const parts = row.tail_points > 0 ? [decodeSegments(row.tail, row.tail_points), points] : [points];
  const open = await selectHot<{ points: number; data: Uint8Array }>(
    db,
    'open-chunk',
    () => db.selectFrom('metric_chunks').select(['points', 'data']).where('series_id', '=', 0).where('seq', '=', 0).where('points', '<', 0),
    [row.id, row.chunks - 1, CHUNK_POINTS],
  );
  for (const chunk of open) parts.unshift(decodeSegments(chunk.data, chunk.points));
  return chunkRows(row.id, row.chunks - open.length, chunksOf(sortUnique(concat(parts))));
}

function append(tail: Uint8Array, segment: Uint8Array): Uint8Array {
  const data = new Uint8Array(tail.length + segment.length);
  data.set(tail);
  data.set(segment, tail.length);
  return data;
}

async function withoutStored(db: Kysely<Database>, seriesId: number, points: Points): Promise<Points> {
  // Of no points there is no range to ask for.
  if (points.steps.length === 0) return points;
  const box = summarize(points);
  const chunks = await db
    .selectFrom('metric_chunks')
    .select(['points', 'data'])
    .where('series_id', '=', seriesId)
    .where('max_step', '>=', box.minStep)
    .where('min_step', '<=', box.maxStep)
    .where('max_timestamp', '>=', box.minTimestamp)
    .where('min_timestamp', '<=', box.maxTimestamp)
    .execute();
  return chunks.reduce((rest, chunk) => without(rest, decodeSegments(chunk.data, chunk.points)), points);
}

/** Sorted points in even pieces of about CHUNK_POINTS. */
function chunksOf(points: Points): Points[] {
  const count = points.steps.length;
  const pieces = Math.max(1, Math.round(count / CHUNK_POINTS));
  return Array.from({ length: pieces }, (_, i) => slice(points, Math.floor((count * i) / pieces), Math.floor((count * (i + 1)) / pieces)));
}

const chunkRows = (seriesId: number, first: number, chunks: Points[]) =>
  chunks.map((points, i) => {
    const last = points.steps.length - 1;
    return {
      series_id: seriesId,
      seq: first + i,
      ...summaryColumns(summarize(points)),
      last_timestamp: points.timestamps[last] as number,
      last_value: doubleBytes(points.values[last] as number),
      data: encodeSegment(points),
    };
  });

/** The last of sorted points. */
const lastColumns = ({ steps, timestamps, values }: Points) => ({
  last_step: steps[steps.length - 1] as number,
  last_timestamp: timestamps[steps.length - 1] as number,
  last_value: doubleBytes(values[steps.length - 1] as number),
});

const summaryColumns = (s: PointSummary) => ({
  points: s.points,
  min_value: s.minValue,
  max_value: s.maxValue,
  min_step: s.minStep,
  max_step: s.maxStep,
  min_timestamp: s.minTimestamp,
  max_timestamp: s.maxTimestamp,
});
