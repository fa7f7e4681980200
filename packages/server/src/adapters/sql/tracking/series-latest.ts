import type { Kysely } from 'kysely';
import type { Points } from '../../../tracking/index.ts';
import type { Database } from '../schema/index.ts';
import { bytesToDouble } from './chunk-codec.ts';
import { writeHot } from './hot.ts';
import { clamp, comparePoints, slice } from './points.ts';
import type { Fresh, KnownKey } from './series-known.ts';

/** The run's latest point a key, over all of its series. */
export async function writeLatest(db: Kysely<Database>, rid: number, known: ReadonlyMap<string, KnownKey>, fresh: Fresh[]): Promise<void> {
  const best = new Map<number, { point: Points; stored: Points | undefined }>();
  for (const { key, keyId, points } of fresh) {
    const point = slice(points, points.steps.length - 1, points.steps.length);
    const current = best.get(keyId)?.point;
    if (current === undefined || comparePoints(point, 0, current, 0) > 0) best.set(keyId, { point, stored: known.get(key)?.latest });
  }
  const rows = { added: [] as Record<string, unknown>[], changed: [] as Record<string, unknown>[] };
  for (const [keyId, { point, stored }] of best) {
    const value = point.values[0] as number;
    const row = { rid, key_id: keyId, ...valueColumns(value), step: point.steps[0], timestamp: point.timestamps[0] };
    if (stored === undefined) rows.added.push(row);
    else if (comparePoints({ ...point, values: Float64Array.of(clamp(value)) }, 0, stored, 0) > 0) rows.changed.push(row);
  }
  await Promise.all([writeHot(db, 'latest_metrics', rows.added), writeHot(db, 'latest_metrics', rows.changed, { key: ['rid', 'key_id'] })]);
}

const valueColumns = (value: number) => ({ value: Number.isNaN(value) ? null : clamp(value), infinite: Number.isFinite(value) || Number.isNaN(value) ? 0 : 1 });

/** The same for the logged model that a series was measured on. */
export async function updateModelMetric(db: Kysely<Database>, runId: string, seriesId: number, { key, owner }: Fresh): Promise<void> {
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
