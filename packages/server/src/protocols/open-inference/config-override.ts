import type { EndpointConfig } from '@binnacle/contract';
import { type BinnacleError, invalid, isObject, shown } from '../../kernel/index.ts';

type Json = Record<string, unknown>;
type Batching = NonNullable<EndpointConfig['batching']>;

const bad = (text: string): BinnacleError => invalid('invalid_model_config', text);

/** Fields of a ModelConfig that say what the model is, not how it runs: the registry's version says that, and they are left out. */
const IDENTITY = new Set([
  'name',
  'platform',
  'backend',
  'runtime',
  'input',
  'output',
  'default_model_filename',
  'version_policy',
  'batch_input',
  'batch_output',
]);
/** Written by every configuration that a server hands out; empty or default, they ask for nothing. */
const IDLE = new Set(['optimization', 'cc_model_filenames', 'metric_tags', 'model_warmup', 'model_transaction_policy', 'model_repository_agents']);

/** How a ModelConfig (JSON text) asks an endpoint of the registry to run. What it does not name goes back to the default. Throws `invalid` naming the field. */
export function endpointConfigOf(text: string, before: EndpointConfig): EndpointConfig {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw bad(`the configuration is no JSON: ${(cause as Error).message}`);
  }
  if (!isObject(config)) throw bad('the configuration must be a JSON object (inference.ModelConfig)');
  const { batching: _, instances: __, threads: ___, cache: ____, ...kept } = before;
  const out: EndpointConfig = { ...kept };
  let batching: Batching = {};
  for (const [field, value] of Object.entries(config)) {
    if (IDENTITY.has(field) || IDLE.has(field)) continue;
    if (field === 'max_batch_size') {
      const rows = whole(value, field);
      batching = rows === 0 ? { ...batching, enabled: 'off' } : { ...batching, maxRows: rows };
    } else if (field === 'dynamic_batching') batching = { ...batching, ...dynamicBatching(object(value, field)) };
    else if (field === 'instance_group') {
      const count = instances(value);
      if (count !== undefined) out.instances = count;
    } else if (field === 'parameters') parameters(object(value, field), out);
    else if (field === 'response_cache') {
      if (object(value, field)['enable'] === true) out.cache = before.cache ?? { maxMiB: 64 };
    } else throw bad(`'${field}' has no meaning for a model of the registry`);
  }
  if (Object.keys(batching).length > 0) out.batching = batching;
  return out;
}

function object(value: unknown, field: string): Json {
  if (isObject(value)) return value;
  throw bad(`'${field}' must be an object, not ${shown(value)}`);
}

/** Proto JSON writes 64-bit integers as strings. */
function whole(value: unknown, field: string): number {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0) return number;
  throw bad(`'${field}' must be a whole number, 0 or more, not ${shown(value)}`);
}

function dynamicBatching(of: Json): Batching {
  const out: Batching = { enabled: 'on' };
  for (const [name, value] of Object.entries(of)) {
    const field = `dynamic_batching.${name}`;
    if (name === 'preferred_batch_size') {
      if (!Array.isArray(value)) throw bad(`'${field}' must be a list of whole numbers`);
      const rows = value.map((each) => whole(each, field)).filter((each) => each > 0);
      if (rows.length > 0) out.preferredRows = rows;
    } else if (name === 'max_queue_delay_microseconds') out.maxQueueDelayMicros = whole(value, field);
    else if (name === 'preserve_ordering') out.preserveOrdering = value === true;
    else if (name === 'priority_levels') out.priorityLevels = whole(value, field);
    else if (name === 'default_priority_level') out.defaultPriority = whole(value, field);
    else if (name === 'default_queue_policy') out.defaultQueuePolicy = queuePolicy(object(value, field), field);
    else if (name === 'priority_queue_policy') {
      const levels = Object.entries(object(value, field)).map(([level, policy]) => [level, queuePolicy(object(policy, field), field)]);
      if (levels.length > 0) out.priorityQueuePolicies = Object.fromEntries(levels);
    } else throw bad(`'${field}' is not known`);
  }
  return out;
}

function queuePolicy(of: Json, where: string): NonNullable<Batching['defaultQueuePolicy']> {
  const out: NonNullable<Batching['defaultQueuePolicy']> = {};
  for (const [name, value] of Object.entries(of)) {
    const field = `${where}.${name}`;
    if (name === 'timeout_action') out.timeoutAction = value === 'DELAY' || value === 1 ? 'delay' : 'reject';
    else if (name === 'default_timeout_microseconds') out.defaultTimeoutMicros = whole(value, field);
    else if (name === 'allow_timeout_override') out.allowTimeoutOverride = value === true;
    else if (name === 'max_queue_size') out.maxQueueSize = whole(value, field);
    else throw bad(`'${field}' is not known`);
  }
  return out;
}

function instances(value: unknown): number | undefined {
  if (!Array.isArray(value)) throw bad("'instance_group' must be a list");
  let count = 0;
  for (const group of value) {
    const one = object(group, 'instance_group');
    if (one['kind'] === 'KIND_GPU') throw bad("'instance_group': KIND_GPU is set by the endpoint's providers (cuda, tensorrt), not here");
    count += one['count'] === undefined ? 1 : whole(one['count'], 'instance_group.count');
  }
  return count === 0 ? undefined : count;
}

/** Those of Triton's ONNX Runtime backend that mean something here. */
function parameters(of: Json, out: EndpointConfig): void {
  for (const [name, value] of Object.entries(of)) {
    const text = isObject(value) ? value['string_value'] : value;
    if (name === 'intra_op_thread_count') {
      const threads = whole(text, `parameters.${name}`);
      if (threads > 0) out.threads = threads;
    } else if (name === 'enable_mem_arena') out.memoryArena = text !== '0';
    else throw bad(`the parameter '${name}' is not known; known are intra_op_thread_count and enable_mem_arena`);
  }
}
