import { createHash } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import type { PointBatch, Points, SeriesOwner } from '../../../tracking/index.ts';
import { insertForId } from '../insert-id.ts';
import type { Database } from '../schema/index.ts';
import type { MetricSeriesTable } from '../schema/tracking.ts';
import { bytesToDouble, decodeSegments, doubleBytes, encodeSegment } from './chunk-codec.ts';
import { runHot } from './hot.ts';
import { batches, internKeys, KeyKind, padded } from './keys.ts';
import { clamp, comparePoints, concat, merge, overlaps, type PointSummary, slice, sortUnique, summarize, without } from './points.ts';

/** Points that a tail may hold before it is turned into a chunk. */
const CHUNK_POINTS = 1000;
const EMPTY = new Uint8Array(0);

type SeriesRow = Selectable<MetricSeriesTable>;
interface Fresh {
  key: string;
  keyId: number;
  variant: string;
  owner: SeriesOwner;
  points: Points;
}

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
 */
export async function writePoints(db: Kysely<Database>, run: { rid: number; run_id: string; experiment_id: number }, batch: PointBatch): Promise<void> {
  const keys = await internKeys(
    db,
    run.experiment_id,
    KeyKind.metric,
    batch.series.map(({ key }) => key),
  );
  const fresh = batch.series.map((series, i): Fresh => {
    const points = { steps: batch.steps, timestamps: batch.timestamps, values: batch.values };
    return {
      key: series.key,
      keyId: keys.get(series.key) as number,
      variant: variantOf(series),
      owner: series,
      points: sortUnique(slice(points, batch.offsets[i] as number, batch.offsets[i + 1] as number)),
    };
  });
  const keyIds = [...new Set(keys.values())];
  const rows = new Map<string, SeriesRow>();
  for (const ids of batches(keyIds)) {
    const found = await db.selectFrom('metric_series').selectAll().where('rid', '=', run.rid).where('key_id', 'in', padded(ids)).execute();
    for (const row of found) rows.set(`${row.key_id} ${row.variant}`, row);
  }
  // New series that need nothing else go in together.
  const plain: Fresh[] = [];
  for (const series of fresh) {
    if (series.points.steps.length === 0) continue;
    const row = rows.get(`${series.keyId} ${series.variant}`);
    if (row === undefined && series.owner.modelId === null && series.points.steps.length < CHUNK_POINTS) {
      plain.push(series);
      continue;
    }
    const id = row === undefined ? await insertSeries(db, run.rid, series) : await appendSeries(db, row, series.points);
    if (series.owner.modelId !== null && id !== undefined) await updateModelMetric(db, run.run_id, id, series);
  }
  for (const group of batches(plain, 100)) {
    await db
      .insertInto('metric_series')
      .values(group.map((series) => seriesColumns(run.rid, series, [])))
      .execute();
  }
  await updateLatest(db, run.rid, keyIds, fresh);
}

async function insertSeries(db: Kysely<Database>, rid: number, series: Fresh): Promise<number> {
  const chunks = series.points.steps.length >= CHUNK_POINTS ? chunksOf(series.points) : [];
  const id = await insertForId(db, 'metric_series', seriesColumns(rid, series, chunks));
  await insertChunks(db, id, 0, chunks);
  return id;
}

function seriesColumns(rid: number, { keyId, variant, owner, points }: Fresh, chunks: Points[]) {
  const count = points.steps.length;
  const last = count - 1;
  return {
    rid,
    key_id: keyId,
    variant,
    model_id: owner.modelId,
    dataset_name: owner.datasetName,
    dataset_digest: owner.datasetDigest,
    ...summaryColumns(summarize(points)),
    last_step: points.steps[last] as number,
    last_timestamp: points.timestamps[last] as number,
    last_value: doubleBytes(points.values[last] as number),
    chunks: chunks.length,
    tail_points: chunks.length > 0 ? 0 : count,
    tail: chunks.length > 0 ? EMPTY : encodeSegment(points),
  };
}

async function appendSeries(db: Kysely<Database>, row: SeriesRow, incoming: Points): Promise<number | undefined> {
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
  let tail: Points | undefined;
  if (overlaps(known, summarize(incoming))) {
    tail = row.tail_points > 0 ? sortUnique(decodeSegments(row.tail, row.tail_points)) : undefined;
    if (tail !== undefined) points = without(points, tail);
    if (row.chunks > 0) points = await withoutStored(db, row.id, points);
    if (points.steps.length === 0) return undefined;
  }
  const count = points.steps.length;
  const tailPoints = row.tail_points + count;
  let chunks: Points[] = [];
  let data: Uint8Array;
  if (tailPoints >= CHUNK_POINTS) {
    const stored = tail ?? (row.tail_points > 0 ? decodeSegments(row.tail, row.tail_points) : undefined);
    chunks = chunksOf(stored === undefined ? points : sortUnique(concat([stored, points])));
    data = EMPTY;
  } else {
    data = append(row.tail, encodeSegment(points));
  }
  const last = count - 1;
  const storedLast: Points = {
    steps: Float64Array.of(row.last_step),
    timestamps: Float64Array.of(row.last_timestamp),
    values: Float64Array.of(bytesToDouble(row.last_value)),
  };
  const newer = comparePoints(points, last, storedLast, 0) > 0;
  const columns = {
    ...summaryColumns(merge(known, summarize(points))),
    last_step: newer ? (points.steps[last] as number) : row.last_step,
    last_timestamp: newer ? (points.timestamps[last] as number) : row.last_timestamp,
    last_value: newer ? doubleBytes(points.values[last] as number) : row.last_value,
    chunks: row.chunks + chunks.length,
    tail_points: chunks.length > 0 ? 0 : tailPoints,
    tail: data,
  };
  await runHot(db, 'append-series', () => db.updateTable('metric_series').set(columns).where('id', '=', row.id), [...Object.values(columns), row.id]);
  await insertChunks(db, row.id, row.chunks, chunks);
  return row.id;
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

async function insertChunks(db: Kysely<Database>, seriesId: number, first: number, chunks: Points[]): Promise<void> {
  for (const [i, points] of chunks.entries()) {
    const last = points.steps.length - 1;
    const columns = {
      series_id: seriesId,
      seq: first + i,
      ...summaryColumns(summarize(points)),
      last_timestamp: points.timestamps[last] as number,
      last_value: doubleBytes(points.values[last] as number),
      data: encodeSegment(points),
    };
    await runHot(db, 'insert-chunk', () => db.insertInto('metric_chunks').values(columns), Object.values(columns));
  }
}

const summaryColumns = (s: PointSummary) => ({
  points: s.points,
  min_value: s.minValue,
  max_value: s.maxValue,
  min_step: s.minStep,
  max_step: s.maxStep,
  min_timestamp: s.minTimestamp,
  max_timestamp: s.maxTimestamp,
});

/** The run's latest point a key, over all of its series. */
async function updateLatest(db: Kysely<Database>, rid: number, keyIds: number[], fresh: Fresh[]): Promise<void> {
  const best = new Map<number, Points>();
  for (const { keyId, points } of fresh) {
    const count = points.steps.length;
    if (count === 0) continue;
    const candidate = slice(points, count - 1, count);
    const current = best.get(keyId);
    if (current === undefined || comparePoints(candidate, 0, current, 0) > 0) best.set(keyId, candidate);
  }
  const stored = new Map<number, Points>();
  for (const ids of batches(keyIds)) {
    const rows = await db.selectFrom('latest_metrics').selectAll().where('rid', '=', rid).where('key_id', 'in', padded(ids)).execute();
    for (const row of rows)
      stored.set(row.key_id, {
        steps: Float64Array.of(row.step),
        timestamps: Float64Array.of(row.timestamp),
        values: Float64Array.of(row.value ?? Number.NaN),
      });
  }
  const added: { rid: number; key_id: number; value: number | null; infinite: number; step: number; timestamp: number }[] = [];
  for (const [keyId, point] of best) {
    const value = point.values[0] as number;
    const columns = { ...valueColumns(value), step: point.steps[0] as number, timestamp: point.timestamps[0] as number };
    const current = stored.get(keyId);
    if (current === undefined) added.push({ rid, key_id: keyId, ...columns });
    else if (comparePoints({ ...point, values: Float64Array.of(clamp(value)) }, 0, current, 0) > 0)
      await runHot(db, 'update-latest', () => db.updateTable('latest_metrics').set(columns).where('rid', '=', rid).where('key_id', '=', keyId), [
        ...Object.values(columns),
        rid,
        keyId,
      ]);
  }
  for (const rows of batches(added, 500)) await db.insertInto('latest_metrics').values(rows).execute();
}

const valueColumns = (value: number) => ({ value: Number.isNaN(value) ? null : clamp(value), infinite: Number.isFinite(value) || Number.isNaN(value) ? 0 : 1 });

/** The same for the logged model that a series was measured on. */
async function updateModelMetric(db: Kysely<Database>, runId: string, seriesId: number, { key, owner }: Fresh): Promise<void> {
  const series = await db
    .selectFrom('metric_series')
    .select(['points', 'min_value', 'max_value', 'last_step', 'last_timestamp', 'last_value'])
    .where('id', '=', seriesId)
    .executeTakeFirstOrThrow();
  const modelId = owner.modelId as string;
  const columns = {
    ...valueColumns(bytesToDouble(series.last_value)),
    min_value: series.min_value,
    max_value: series.max_value,
    step: series.last_step,
    timestamp: series.last_timestamp,
    points: series.points,
  };
  const { numUpdatedRows } = await db
    .updateTable('logged_model_metrics')
    .set(columns)
    .where('model_id', '=', modelId)
    .where('series_id', '=', seriesId)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n)
    await db
      .insertInto('logged_model_metrics')
      .values({
        model_id: modelId,
        series_id: seriesId,
        metric_key: key,
        dataset_name: owner.datasetName,
        dataset_digest: owner.datasetDigest,
        run_id: runId,
        ...columns,
      })
      .execute();
}
