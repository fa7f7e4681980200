import type { Batching, EndpointConfig, ExecutionProvider, QueuePolicy } from '@binnacle/contract';
import { ROWS_UNSAID } from './autofill.ts';
import type { ConfigDynamicBatching, ConfigQueuePolicy, ModelConfig } from './model-config.ts';

const MAX_MICROS = 3_600_000_000;
export const CACHE_MIB = 64;

export interface MappedConfig {
  config: EndpointConfig;
  /** What of the configuration means nothing here, for the log. */
  ignored: string[];
}

/** How a ModelConfig asks for its model to be run. */
export function endpointConfigOf(model: ModelConfig): MappedConfig {
  const ignored: string[] = [];
  const config: EndpointConfig = { batching: batchingOf(model) };
  const count = instancesOf(model, ignored);
  if (count !== undefined) config.instances = count;
  const { settings, unknown } = parametersOf(model);
  Object.assign(config, settings);
  ignored.push(...unknown.map((name) => `parameters.${name}`));
  const providers = providersOf(model, ignored);
  if (providers.length > 0) config.providers = providers;
  if (model.response_cache?.enable === true && model.sequence_batching === undefined) config.cache = { maxMiB: CACHE_MIB };
  if (model.optimization?.graph !== undefined) ignored.push('optimization.graph');
  for (const field of ['batch_input', 'batch_output'] as const) if ((model[field]?.length ?? 0) > 0) ignored.push(field);
  if (Object.keys(model.cc_model_filenames ?? {}).length > 0) ignored.push('cc_model_filenames');
  if (Object.keys(model.metric_tags ?? {}).length > 0) ignored.push('metric_tags');
  if ((model.model_operations?.op_library_filename?.length ?? 0) > 0) ignored.push('model_operations (libraries of custom operators are not loaded)');
  if ((model.model_repository_agents?.agents?.length ?? 0) > 0) ignored.push('model_repository_agents');
  if (model.model_transaction_policy?.decoupled === true) ignored.push('model_transaction_policy.decoupled');
  return { config, ignored };
}

function batchingOf({ dynamic_batching: dynamic, max_batch_size: rows = 0 }: ModelConfig): Batching {
  if (dynamic === undefined || rows <= 1) return { enabled: 'off' };
  return { enabled: 'auto', ...(rows === ROWS_UNSAID ? {} : maxRowsOf(rows)), ...dynamicBatchingOf(dynamic, rows) };
}

export const maxRowsOf = (rows: number): Batching => ({ maxRows: Math.min(rows, 65536) });

/** How requests wait for each other; `rows` is the largest batch. */
export function dynamicBatchingOf(dynamic: ConfigDynamicBatching, rows: number): Batching {
  const batching: Batching = {};
  const preferred = (dynamic.preferred_batch_size ?? []).filter((size) => size > 0 && size <= rows);
  if (preferred.length > 0) batching.preferredRows = preferred.slice(0, 32);
  if (dynamic.max_queue_delay_microseconds !== undefined) batching.maxQueueDelayMicros = Math.min(dynamic.max_queue_delay_microseconds, MAX_MICROS);
  if (dynamic.preserve_ordering !== undefined) batching.preserveOrdering = dynamic.preserve_ordering;
  if (dynamic.priority_levels !== undefined) batching.priorityLevels = Math.min(dynamic.priority_levels, 1000);
  if (dynamic.default_priority_level !== undefined) batching.defaultPriority = Math.min(dynamic.default_priority_level, 1000);
  if (dynamic.default_queue_policy !== undefined) batching.defaultQueuePolicy = queuePolicy(dynamic.default_queue_policy);
  const levels = Object.entries(dynamic.priority_queue_policy ?? {});
  if (levels.length > 0) batching.priorityQueuePolicies = Object.fromEntries(levels.map(([level, policy]) => [level, queuePolicy(policy)]));
  return batching;
}

const queuePolicy = (policy: ConfigQueuePolicy): QueuePolicy => ({
  timeoutAction: policy.timeout_action === 'DELAY' ? 'delay' : 'reject',
  defaultTimeoutMicros: Math.min(policy.default_timeout_microseconds ?? 0, MAX_MICROS),
  allowTimeoutOverride: policy.allow_timeout_override ?? false,
  maxQueueSize: Math.min(policy.max_queue_size ?? 0, 10_000_000),
});

/** Instances of all groups; undefined: none is given. */
export function instancesOf({ instance_group: groups = [] }: ModelConfig, ignored: string[]): number | undefined {
  let count = 0;
  for (const group of groups) {
    if (group.passive === true) continue;
    count += Math.max(1, group.count ?? 1);
    if ((group.gpus?.length ?? 0) > 0) ignored.push('instance_group.gpus');
    if (group.rate_limiter !== undefined) ignored.push('instance_group.rate_limiter');
  }
  return count === 0 ? undefined : Math.min(64, count);
}

/** Those parameters of Triton's ONNX Runtime backend that mean something here; `unknown`: names of the others, and of those with a value that is none. */
export function parametersOf({ parameters = {} }: ModelConfig): { settings: Pick<EndpointConfig, 'threads' | 'memoryArena'>; unknown: string[] } {
  const settings: Pick<EndpointConfig, 'threads' | 'memoryArena'> = {};
  const unknown: string[] = [];
  for (const [name, { string_value: text = '' }] of Object.entries(parameters)) {
    const whole = /^\d{1,6}$/.test(text) ? Number(text) : undefined;
    if (name === 'intra_op_thread_count' && whole !== undefined) {
      if (whole > 0) settings.threads = Math.min(256, whole);
    } else if (name === 'enable_mem_arena' && whole !== undefined) settings.memoryArena = whole !== 0;
    else unknown.push(name);
  }
  return { settings, unknown };
}

const PROVIDERS = new Set(['cuda', 'tensorrt', 'openvino']);

/** Execution providers by accelerators and kinds of instances, with the CPU behind them for what they do not take, or where they are not there. */
function providersOf({ optimization, instance_group: groups = [] }: ModelConfig, ignored: string[]): ExecutionProvider[] {
  const { gpu_execution_accelerator: gpu = [], cpu_execution_accelerator: cpu = [] } = optimization?.execution_accelerators ?? {};
  const names: string[] = [];
  for (const { name = '', parameters = {} } of [...gpu, ...cpu]) {
    if (!PROVIDERS.has(name)) ignored.push(`optimization.execution_accelerators ${name}`);
    else if (!names.includes(name)) names.push(name);
    for (const parameter of Object.keys(parameters)) ignored.push(`optimization.execution_accelerators ${name}.${parameter}`);
  }
  if (groups.some(({ kind }) => kind === 'KIND_GPU') && !names.includes('cuda')) names.push('cuda');
  return names.length === 0 ? [] : [...names, 'cpu'].map((name) => ({ name: name as ExecutionProvider['name'] }));
}
