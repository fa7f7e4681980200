import { invalid } from '../../kernel/index.ts';
import type { ServingService, VersionStatistics } from '../../serving/index.ts';
import type { ModelStatistics, StatisticDuration } from './types.ts';

const duration = (count: number, micros: number): StatisticDuration => ({ count, ns: Math.round(micros * 1000) });

function statisticsOf(name: string, { version, statistics: of, memoryBytes }: VersionStatistics): ModelStatistics {
  const ran = of.success - of.cacheHits;
  return {
    name,
    version: String(version),
    last_inference: of.lastInference,
    inference_count: of.inferences,
    execution_count: of.executions,
    inference_stats: {
      success: duration(of.success, of.successMicros),
      fail: duration(of.fail, of.failMicros),
      queue: duration(of.success, of.queueMicros),
      compute_input: duration(ran, of.inputMicros),
      compute_infer: duration(ran, of.inferMicros),
      compute_output: duration(ran, of.outputMicros),
      cache_hit: duration(of.cacheHits, of.cacheHitMicros),
      cache_miss: duration(of.cacheMisses, of.cacheMissMicros),
    },
    response_stats: {},
    batch_stats: [...of.batches]
      .sort(([a], [b]) => a - b)
      .map(([rows, batch]) => ({
        batch_size: rows,
        compute_input: duration(batch.runs, batch.inputMicros),
        compute_infer: duration(batch.runs, batch.inferMicros),
        compute_output: duration(batch.runs, batch.outputMicros),
      })),
    memory_usage: memoryBytes === undefined ? [] : [{ type: 'CPU', id: 0, byte_size: Math.round(memoryBytes) }],
  };
}

/** What of the versions that answer now; of one model, of one version, or of all. Throws `invalid` with Triton's texts for what is not available. */
export function modelStatistics(serving: ServingService, name: string | undefined, version: number | undefined): ModelStatistics[] {
  const names = name === undefined ? serving.list().map((endpoint) => endpoint.name) : [name];
  const out = names.flatMap((each) => rowsOf(serving, each, version));
  if (name !== undefined && out.length === 0)
    throw invalid(
      'model_not_available',
      version === undefined ? `requested model '${name}' is not available` : `requested model version is not available for model '${name}'`,
    );
  return out;
}

function rowsOf(serving: ServingService, name: string, version: number | undefined): ModelStatistics[] {
  if (!serving.list().some((endpoint) => endpoint.name === name)) return [];
  return serving
    .inferenceStatistics(name)
    .filter((row) => row.waiting !== undefined && (version === undefined || row.version === version))
    .sort((a, b) => a.version - b.version)
    .map((row) => statisticsOf(name, row));
}
