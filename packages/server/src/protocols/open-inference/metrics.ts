import type { InferenceStatistics, ServingService } from '../../serving/index.ts';

/** What `nv_inference_request_failure` tells apart. */
type Reason = 'REJECTED' | 'CANCELED' | 'BACKEND' | 'OTHER';
const REASONS: readonly Reason[] = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'];

/** Codes of errors that are refusals of the queue and its limits, and of requests that were given up. */
const REJECTED = /^(queue_|rate_|too_many|.*_full$|.*limit)/;
const CANCELED = /^(cancelled|client_gone)/;
const BACKEND = /^(inference_failed|run_|model_|runtime_|internal|service_|process_|worker_|remote_)/;

const reasonOf = (code: string): Reason => (CANCELED.test(code) ? 'CANCELED' : REJECTED.test(code) ? 'REJECTED' : BACKEND.test(code) ? 'BACKEND' : 'OTHER');

interface Row {
  labels: string;
  statistics: InferenceStatistics;
  pending: number;
  failures: Record<Reason, number>;
}

const quoted = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

type Family = [name: string, type: 'counter' | 'gauge', help: string, of: (row: Row) => number];

const FAMILIES: Family[] = [
  ['nv_inference_request_success', 'counter', 'Number of successful inference requests, all batch sizes', (row) => row.statistics.success],
  ['nv_inference_count', 'counter', 'Number of inferences performed (does not include cached requests)', (row) => row.statistics.inferences],
  ['nv_inference_exec_count', 'counter', 'Number of model executions performed (does not include cached requests)', (row) => row.statistics.executions],
  [
    'nv_inference_request_duration_us',
    'counter',
    'Cumulative inference request duration in microseconds (includes cached requests)',
    (row) => row.statistics.successMicros,
  ],
  [
    'nv_inference_queue_duration_us',
    'counter',
    'Cumulative inference queuing duration in microseconds (includes cached requests)',
    (row) => row.statistics.queueMicros,
  ],
  [
    'nv_inference_compute_input_duration_us',
    'counter',
    'Cumulative compute input duration in microseconds (does not include cached requests)',
    (row) => row.statistics.inputMicros,
  ],
  [
    'nv_inference_compute_infer_duration_us',
    'counter',
    'Cumulative compute inference duration in microseconds (does not include cached requests)',
    (row) => row.statistics.inferMicros,
  ],
  [
    'nv_inference_compute_output_duration_us',
    'counter',
    'Cumulative inference compute output duration in microseconds (does not include cached requests)',
    (row) => row.statistics.outputMicros,
  ],
  ['nv_inference_pending_request_count', 'gauge', 'Instantaneous number of pending requests awaiting execution per-model.', (row) => row.pending],
];

const CACHE: Family[] = [
  ['nv_cache_num_hits_per_model', 'counter', 'Number of cache hits per model', (row) => row.statistics.cacheHits],
  ['nv_cache_num_misses_per_model', 'counter', 'Number of cache misses per model', (row) => row.statistics.cacheMisses],
  ['nv_cache_hit_duration_per_model', 'counter', 'Total cache hit duration per model, in microseconds', (row) => row.statistics.cacheHitMicros],
  ['nv_cache_miss_duration_per_model', 'counter', 'Total cache miss duration per model, in microseconds', (row) => row.statistics.cacheMissMicros],
];

/** Triton's metrics by their names, in Prometheus' text format, for dashboards and alarms made for Triton: versions that answer now, a row each. */
export function tritonMetrics(serving: ServingService): string {
  const rows: Row[] = [];
  const cached: Row[] = [];
  for (const { name, config } of serving.list()) {
    for (const { version, statistics, waiting } of serving.inferenceStatistics(name)) {
      if (waiting === undefined) continue;
      const failures: Row['failures'] = { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 };
      for (const [code, count] of statistics.failures) failures[reasonOf(code)] += count;
      const row = { labels: labelsOf(name, version), statistics, pending: waiting, failures };
      rows.push(row);
      if (config.cache !== undefined) cached.push(row);
    }
  }
  const lines: string[] = [];
  const family = ([name, type, help, of]: Family, of_: Row[]): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...of_.map((row) => `${name}{${row.labels}} ${Math.round(of(row))}`));
  };
  for (const each of FAMILIES) family(each, rows);
  lines.push('# HELP nv_inference_request_failure Number of failed inference requests, all batch sizes', '# TYPE nv_inference_request_failure counter');
  for (const { labels, failures } of rows)
    for (const reason of REASONS) lines.push(`nv_inference_request_failure{${labels},reason="${reason}"} ${failures[reason]}`);
  if (cached.length > 0) for (const each of CACHE) family(each, cached);
  return `${lines.join('\n')}\n`;
}

const labelsOf = (name: string, version: number): string => `model=${quoted(name)},version="${version}"`;
