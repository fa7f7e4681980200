import type { Column } from '../../tables/index.ts';
import type { IntakeLedger } from '../intake-ledger.port.ts';
import type { ActivityDelta, BucketDelta, MonitoringStore } from '../monitoring-store.port.ts';
import type { LogRow, PredictionLog } from '../prediction-log.port.ts';
import type { ColumnValue } from '../profile/index.ts';
import { Accumulators } from './accumulator.ts';
import { addRows, bucketStart } from './batch-rows.ts';
import { IntakeContext } from './intake-context.ts';
import type { RecorderOptions } from './recorder.ts';

interface RecoveryDeps {
  store: Pick<MonitoringStore, 'intakeMarks'>;
  log: Pick<PredictionLog, 'beyond'>;
  describe: RecorderOptions['describe'];
}

/**
 * What a killed session had written to the log and not yet to the profiles, as what the next flush would have added. The log comes first in
 * every flush, so it is to the profiles what a write-ahead log is to a table.
 */
export async function recover(
  { session, recorded }: NonNullable<IntakeLedger['previous']>,
  { store, log, describe }: RecoveryDeps,
): Promise<{ buckets: BucketDelta[]; activity: ActivityDelta[] }> {
  const stored = new Map((await store.intakeMarks(session)).map((mark) => [mark.endpoint, mark.recorded]));
  const behind = recorded.map(({ endpoint, rows }) => ({ endpoint, rows, ordinal: stored.get(endpoint) ?? 0 })).filter(({ rows, ordinal }) => rows > ordinal);
  // An orderly end leaves nothing behind, and so loads no DuckDB here.
  const rows = behind.length === 0 ? [] : await log.beyond(session, behind);
  const buckets = new Accumulators();
  const activity = new Map<string, ActivityDelta>();
  for (const group of groups(rows).values()) await addGroup(group, buckets, activity, describe);
  for (const delta of activity.values()) delta.recorded += stored.get(delta.endpoint) ?? 0;
  return { buckets: await buckets.deltas(), activity: [...activity.values()] };
}

interface Parsed {
  row: LogRow;
  features: Record<string, ColumnValue>;
}

/** Rows with the same columns and baseline. */
function groups(rows: LogRow[]): Map<string, Parsed[]> {
  const found = new Map<string, Parsed[]>();
  for (const row of rows) {
    const features = JSON.parse(row.features) as Record<string, ColumnValue>;
    const key = JSON.stringify([row.endpoint, row.model, row.version, row.source, Object.keys(features)]);
    const group = found.get(key);
    if (group === undefined) found.set(key, [{ row, features }]);
    else group.push({ row, features });
  }
  return found;
}

async function addGroup(group: Parsed[], buckets: Accumulators, activity: Map<string, ActivityDelta>, describe: RecoveryDeps['describe']): Promise<void> {
  const [first] = group as [Parsed];
  const { endpoint, model, version, source } = first.row;
  const context = new IntakeContext({ endpoint, model, version }, source, await describe({ endpoint, model, version }));
  const outputs = outputsOf(group);
  context.prepareLogged(outputs);
  const features = Object.keys(first.features).map((name) => ({ name, values: group.map((parsed) => parsed.features[name]) as Column['values'] }));
  for (const [at, { row }] of group.entries()) {
    const bucket = buckets.get({ endpoint, model, version, source }, bucketStart(row.ts), context);
    if (row.instanceIndex === 0) {
      bucket.requests++;
      if (source === 'live') bucket.addLatency(row.latencyMs);
    }
    bucket.predictions += Math.round(row.weight);
    addRows(bucket, context, { features, outputs }, at, at + 1);
    addTotals(activity, row);
  }
}

/** Whole numbers are classes, as they were when they came as integers; with a baseline it makes no difference. */
function outputsOf(group: Parsed[]): [Column, Column] {
  const fractions = group.some(({ row }) => row.predictionNumber !== null && !Number.isInteger(row.predictionNumber));
  const prediction = group.map(({ row }) => (fractions ? row.predictionNumber : row.prediction));
  return [
    { name: 'prediction', values: prediction as Column['values'] },
    { name: 'score', values: group.map(({ row }) => row.score) as Column['values'] },
  ];
}

function addTotals(activity: Map<string, ActivityDelta>, row: LogRow): void {
  let delta = activity.get(row.endpoint);
  if (delta === undefined) {
    delta = {
      endpoint: row.endpoint,
      model: row.model,
      predictions: 0,
      errors: 0,
      dropped: 0,
      firstAt: null,
      lastAt: null,
      watermark: null,
      lastReceivedAt: 0,
      recorded: 0,
    };
    activity.set(row.endpoint, delta);
  }
  delta.recorded++;
  delta.lastReceivedAt = Math.max(delta.lastReceivedAt, row.receivedAt);
  if (row.source === 'shadow') return;
  delta.predictions += Math.round(row.weight);
  delta.firstAt = Math.min(delta.firstAt ?? row.ts, row.ts);
  delta.lastAt = Math.max(delta.lastAt ?? row.ts, row.ts);
  if (row.source === 'live') delta.watermark = Math.max(delta.watermark ?? row.ts, row.ts);
}
