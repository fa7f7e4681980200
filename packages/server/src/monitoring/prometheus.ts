import { LATENCY_BOUNDS, type RequestSeries } from './intake/request-counters.ts';

export interface MetricsInput {
  requests: Iterable<RequestSeries>;
  monitors: { endpoint: string; dropped: number; lost: number; openAlarms: number; labelled: number }[];
  drift: { endpoint: string; version: number | null; feature: string; js: number | null; threshold: number | null }[];
  process: { residentBytes: number; heapBytes: number; cpuSeconds: number; startedAtSeconds: number; uptimeSeconds: number };
}

type Labels = Record<string, string | number | null>;

/** A label's value in the text format: backslash, quote and line feed are escaped. */
const escapeLabel = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
const labelText = (labels: Labels): string => {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value === null ? '' : String(value))}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
};
const numberText = (value: number): string => (Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf');

class Exposition {
  readonly #lines: string[] = [];
  family(name: string, type: 'counter' | 'gauge' | 'histogram', help: string, samples: [labels: Labels, value: number, suffix?: string][]): void {
    this.#lines.push(
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(([labels, value, suffix = '']) => `${name}${suffix}${labelText(labels)} ${numberText(value)}`),
    );
  }
  get text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

/** Prometheus' text exposition format, version 0.0.4. Counters start at 0 with the process. */
export function prometheusText(input: MetricsInput): string {
  const out = new Exposition();
  const series = [...input.requests];
  const name = ({ endpoint, version }: RequestSeries): Labels => ({ endpoint, version });
  out.family(
    'binnacle_predictions_total',
    'counter',
    'Predictions (instances) answered.',
    series.flatMap((one) => [...one.predictions].map(([source, count]): [Labels, number] => [{ ...name(one), source }, count])),
  );
  out.family(
    'binnacle_requests_total',
    'counter',
    'Requests by result: ok, or the code of the error.',
    series.flatMap((one) => [...one.codes].map(([code, count]): [Labels, number] => [{ ...name(one), code }, count])),
  );
  out.family(
    'binnacle_request_duration_seconds',
    'histogram',
    'Time from request to reply.',
    series.filter(({ codes }) => codes.size > 0).flatMap((one) => histogram(one, name(one))),
  );
  out.family(
    'binnacle_drift_js_distance',
    'gauge',
    'Jensen-Shannon distance (base 2) from training in the newest complete window.',
    input.drift.filter(({ js }) => js !== null).map(({ endpoint, version, feature, js }) => [{ endpoint, version, feature }, js as number]),
  );
  out.family(
    'binnacle_drift_threshold',
    'gauge',
    'Distance above which the feature counts as drifted.',
    input.drift
      .filter(({ threshold }) => threshold !== null)
      .map(({ endpoint, version, feature, threshold }) => [{ endpoint, version, feature }, threshold as number]),
  );
  out.family(
    'binnacle_open_alarms',
    'gauge',
    'Alarms that are open.',
    input.monitors.map(({ endpoint, openAlarms }) => [{ endpoint }, openAlarms]),
  );
  out.family(
    'binnacle_labelled_predictions',
    'gauge',
    'Predictions whose ground truth is known.',
    input.monitors.map(({ endpoint, labelled }) => [{ endpoint }, labelled]),
  );
  out.family(
    'binnacle_prediction_rows_dropped_total',
    'counter',
    'Rows left out of the prediction log under overload.',
    input.monitors.map(({ endpoint, dropped }) => [{ endpoint }, dropped]),
  );
  out.family(
    'binnacle_prediction_rows_lost_total',
    'counter',
    'Rows that a crash took before they were written.',
    input.monitors.map(({ endpoint, lost }) => [{ endpoint }, lost]),
  );
  out.family('process_resident_memory_bytes', 'gauge', 'Resident memory.', [[{}, input.process.residentBytes]]);
  out.family('process_heap_bytes', 'gauge', 'JavaScript heap in use.', [[{}, input.process.heapBytes]]);
  out.family('process_cpu_seconds_total', 'counter', 'User and system CPU time.', [[{}, input.process.cpuSeconds]]);
  out.family('process_start_time_seconds', 'gauge', 'Start of the process since the epoch.', [[{}, input.process.startedAtSeconds]]);
  out.family('process_uptime_seconds', 'gauge', 'Age of the process.', [[{}, input.process.uptimeSeconds]]);
  return out.text;
}

function histogram({ latency, latencySum }: RequestSeries, labels: Labels): [Labels, number, string][] {
  let total = 0;
  const buckets = latency.map((count, i): [Labels, number, string] => {
    total += count;
    return [{ ...labels, le: i < LATENCY_BOUNDS.length ? String(LATENCY_BOUNDS[i]) : '+Inf' }, total, '_bucket'];
  });
  return [...buckets, [labels, latencySum, '_sum'], [labels, total, '_count']];
}
