import type { PointBatch, SeriesOwner } from './types.ts';

export interface MetricInput extends Partial<SeriesOwner> {
  key: string;
  value: number;
  timestamp: number;
  step: number;
}

/** Turns points in any order into columns grouped by series; a thousand points cross to the database thread as three arrays. */
export function toPointBatch(metrics: MetricInput[]): PointBatch | null {
  if (metrics.length === 0) return null;
  const index = new Map<string, number>();
  const series: PointBatch['series'] = [];
  const of = new Uint32Array(metrics.length);
  const counts: number[] = [];
  for (const [i, { key, modelId = null, datasetName = null, datasetDigest = null }] of metrics.entries()) {
    const id = modelId === null && datasetName === null && datasetDigest === null ? key : `${key}\0${JSON.stringify([modelId, datasetName, datasetDigest])}`;
    let at = index.get(id);
    if (at === undefined) {
      at = series.length;
      index.set(id, at);
      series.push({ key, modelId, datasetName, datasetDigest });
      counts.push(0);
    }
    of[i] = at;
    counts[at] = (counts[at] as number) + 1;
  }
  // All in one buffer, which crosses as one.
  const count = metrics.length;
  const buffer = new ArrayBuffer(count * 24 + (series.length + 1) * 4);
  const [steps, timestamps, values] = [0, 1, 2].map((i) => new Float64Array(buffer, i * count * 8, count)) as [Float64Array, Float64Array, Float64Array];
  const offsets = new Uint32Array(buffer, count * 24);
  for (let i = 0; i < series.length; i++) offsets[i + 1] = (offsets[i] as number) + (counts[i] as number);
  const next = offsets.slice();
  for (const [i, { step, timestamp, value }] of metrics.entries()) {
    const at = next[of[i] as number] as number;
    next[of[i] as number] = at + 1;
    steps[at] = step;
    timestamps[at] = timestamp;
    values[at] = value;
  }
  return { series, offsets, steps, timestamps, values };
}
