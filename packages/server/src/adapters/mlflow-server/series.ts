import type { SourceRun, SourceSeries } from '../../transfer/index.ts';
import { type MlflowApi, pages } from './api.ts';
import { valueOf, type WirePoint } from './wire.ts';

/** Most that MLflow gives at once. */
const HISTORY = 25_000;
const POINTS = 10_000;

/** Points that were measured for logged models, by run. MLflow tells them with the models only. */
export type ModelPoints = Map<string, SourceSeries[]>;

const emptySeries = (key: string): SourceSeries => ({ key, modelId: null, datasetName: null, datasetDigest: null, steps: [], timestamps: [], values: [] });

export function addModelPoints(found: ModelPoints, modelId: string, points: WirePoint[], add: (series: SourceSeries, point: WirePoint) => void): void {
  const series = new Map<string, SourceSeries>();
  for (const point of points) {
    const runId = point.run_id ?? '';
    const id = JSON.stringify([runId, point.key, point.dataset_name, point.dataset_digest]);
    let one = series.get(id);
    if (one === undefined) {
      one = { ...emptySeries(point.key), modelId, datasetName: point.dataset_name || null, datasetDigest: point.dataset_digest || null };
      series.set(id, one);
      const ofRun = found.get(runId);
      if (ofRun === undefined) found.set(runId, [one]);
      else ofRun.push(one);
    }
    add(one, point);
  }
}

/** Appends points, and counts those whose step or time is no whole number that a double holds. */
export function pointAdder(): { add(series: SourceSeries, point: WirePoint): void; odd(): number } {
  let left = 0;
  return {
    add(series, { value, step, timestamp }) {
      const at = Number(step ?? 0);
      const time = Number(timestamp ?? 0);
      if (!Number.isSafeInteger(at) || !Number.isSafeInteger(time) || time < 0) {
        left++;
        return;
      }
      series.steps.push(at);
      series.timestamps.push(time);
      series.values.push(valueOf(value));
    },
    odd: () => left,
  };
}

/** The points of a run, key by key. */
export async function* readSeries(
  api: MlflowApi,
  run: SourceRun,
  keys: string[],
  measured: SourceSeries[],
  add: (series: SourceSeries, point: WirePoint) => void,
): AsyncIterable<SourceSeries[]> {
  const twice = new Set(
    measured.flatMap(({ key, steps, timestamps, values }) => steps.map((step, i) => JSON.stringify([key, step, timestamps[i], String(values[i])]))),
  );
  let batch: SourceSeries[] = [];
  let size = 0;
  for (const key of keys) {
    const ask = (token: string | undefined) =>
      api.get<{ metrics?: WirePoint[]; next_page_token?: string }>('/api/2.0/mlflow/metrics/get-history', {
        run_id: run.runId,
        metric_key: key,
        max_results: HISTORY,
        page_token: token,
      });
    for await (const { metrics = [] } of pages(ask)) {
      for (let at = 0; at < metrics.length; at += POINTS) {
        const series = emptySeries(key);
        for (const point of metrics.slice(at, at + POINTS)) {
          if (twice.size > 0 && twice.has(JSON.stringify([key, Number(point.step ?? 0), Number(point.timestamp ?? 0), String(valueOf(point.value))]))) continue;
          add(series, point);
        }
        if (size > 0 && size + series.steps.length > POINTS) {
          yield batch;
          batch = [];
          size = 0;
        }
        batch.push(series);
        size += series.steps.length;
      }
    }
  }
  yield batch;
  for (const series of measured)
    for (let at = 0; at < series.steps.length; at += POINTS)
      yield [
        {
          ...series,
          steps: series.steps.slice(at, at + POINTS),
          timestamps: series.timestamps.slice(at, at + POINTS),
          values: series.values.slice(at, at + POINTS),
        },
      ];
}
