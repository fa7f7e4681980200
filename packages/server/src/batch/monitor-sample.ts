import type { PredictionSink } from '../serving/index.ts';
import type { ChunkResult } from './chunk-run.ts';
import { pick } from './pick.ts';
import type { JobRecord } from './types.ts';

/** Rows of a chunk that go to monitoring. */
export const SAMPLE_ROWS = 2000;

/** Positions of the rows of a chunk that go to monitoring: all, or an even spread of them. */
export function samplePositions(rows: number): number[] {
  const n = Math.min(rows, SAMPLE_ROWS);
  return Array.from({ length: n }, (_, i) => Math.floor(((i + 0.5) * rows) / n));
}

/** Hands an evenly spread sample of a chunk to monitoring, each row standing for as many as it was drawn from. */
export function recordSample(sink: PredictionSink, job: Pick<JobRecord, 'id' | 'model' | 'version'>, chunk: ChunkResult, startedAt: number): void {
  const rows = chunk.index.length;
  if (rows === 0) return;
  const keep = samplePositions(rows);
  const n = keep.length;
  const now = Date.now();
  sink.record({
    endpoint: job.model,
    model: job.model,
    version: job.version,
    source: 'batch',
    shadow: false,
    requestId: job.id,
    predictionIds: keep.map((at) => `${job.id}:${chunk.index[at]}`),
    receivedAt: now,
    eventTime: chunk.eventTime === undefined ? now : timesOf(pick(chunk.eventTime, keep), now),
    latencyMs: now - startedAt,
    rows: n,
    features: chunk.features.map(({ name, values }) => ({ name, values: pick(values as Float64Array, keep) })),
    outputs: chunk.outputs.monitored(keep),
    weight: rows / n,
  });
}

/** A row without a time of its own happened now. */
function timesOf(times: Float64Array, now: number): Float64Array {
  return times.map((time) => (Number.isFinite(time) ? time : now));
}
