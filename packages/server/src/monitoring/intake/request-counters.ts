import type { CountedRequest, FailedRequest, PredictionBatch } from '../../serving/index.ts';

/** Upper bounds of the exported latency histogram, seconds. */
export const LATENCY_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export interface RequestSeries {
  endpoint: string;
  version: number | null;
  /** Requests by code: `ok`, or the stable code of the error. */
  codes: Map<string, number>;
  predictions: Map<'live' | 'batch' | 'shadow', number>;
  /** Live requests by latency bound, not cumulative; the last is above all bounds. */
  latency: number[];
  latencySum: number;
}

/** Counts since the start of the process, for scraping. */
export class RequestCounters {
  readonly #series = new Map<string, RequestSeries>();

  get all(): Iterable<RequestSeries> {
    return this.#series.values();
  }

  #of(endpoint: string, version: number | null): RequestSeries {
    const key = `${version ?? ''} ${endpoint}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      series = {
        endpoint,
        version,
        codes: new Map(),
        predictions: new Map(),
        latency: Array.from({ length: LATENCY_BOUNDS.length + 1 }, () => 0),
        latencySum: 0,
      };
      this.#series.set(key, series);
    }
    return series;
  }

  answered(batch: PredictionBatch): void {
    const series = this.#of(batch.endpoint, batch.version);
    const source = batch.shadow ? 'shadow' : batch.source;
    series.predictions.set(source, (series.predictions.get(source) ?? 0) + Math.round(batch.rows * (batch.weight ?? 1)));
    if (source === 'live') count(series, 'ok', batch.latencyMs);
  }

  counted(request: CountedRequest): void {
    const series = this.#of(request.endpoint, request.version);
    if (request.rows > 0) series.predictions.set('live', (series.predictions.get('live') ?? 0) + request.rows);
    count(series, 'ok', request.latencyMs);
  }

  failed(failure: FailedRequest): void {
    count(this.#of(failure.endpoint, failure.version), failure.code, failure.latencyMs);
  }
}

function count(series: RequestSeries, code: string, latencyMs: number): void {
  series.codes.set(code, (series.codes.get(code) ?? 0) + 1);
  const seconds = latencyMs / 1000;
  let bucket = 0;
  while (bucket < LATENCY_BOUNDS.length && seconds > (LATENCY_BOUNDS[bucket] as number)) bucket++;
  series.latency[bucket] = (series.latency[bucket] ?? 0) + 1;
  series.latencySum += seconds;
}
