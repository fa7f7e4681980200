import type { PredictionBatch } from '../../serving/index.ts';
import { LEVELS } from '../drift/windows.ts';
import type { Accumulator } from './accumulator.ts';
import type { IntakeContext } from './intake-context.ts';
import { outcome } from './roles.ts';

const FIVE_MINUTES = LEVELS[0];
const DAY = 86_400_000;

/** The five minutes that a time belongs to. */
export const bucketStart = (at: number): number => Math.floor(at / FIVE_MINUTES) * FIVE_MINUTES;

/** The caller's event time, unless it is none: not a number, before the epoch, or more than a day ahead (which would end windows too early). */
export function eventTime(batch: PredictionBatch, row: number): number {
  const time = typeof batch.eventTime === 'number' ? batch.eventTime : (batch.eventTime[row] as number);
  return time >= 0 && time <= batch.receivedAt + DAY ? time : batch.receivedAt;
}

/** Adds rows of a batch to the sketches of a bucket, and to its sums of predictions and scores. */
export function addRows(bucket: Accumulator, context: IntakeContext, batch: Pick<PredictionBatch, 'features' | 'outputs'>, from: number, to: number): void {
  const { sketches } = bucket;
  const add = (slot: number, values: PredictionBatch['features'][number]['values']) => {
    const way = context.slots[slot];
    if (way === undefined) return;
    const sketch = (sketches[slot] ??= way.make());
    way.add(sketch, values, from, to);
  };
  const slots = context.featureSlots(batch.features);
  for (let i = 0; i < slots.length; i++) add(slots[i] as number, (batch.features[i] as PredictionBatch['features'][number]).values);
  bucket.rows += to - from;
  const { prediction, score } = context.roles;
  if (prediction >= 0) add(context.predictionSlot, batch.outputs[prediction]?.values ?? []);
  if (score >= 0) add(context.scoreSlot, batch.outputs[score]?.values ?? []);
  for (let row = from; row < to; row++) {
    const values = outcome(context.roles, batch.outputs, row);
    if (values.number !== null && Number.isFinite(values.number)) {
      bucket.predictionSum += values.number;
      bucket.predictionCount++;
    }
    if (values.score !== null && Number.isFinite(values.score)) {
      bucket.scoreSum += values.score;
      bucket.scoreCount++;
    }
  }
}
