import type { EndpointConfig } from '@binnacle/contract';
import { CACHE_MIB, dynamicBatchingOf, instancesOf, maxRowsOf, parametersOf } from './endpoint-config.ts';
import { badConfig, type ModelConfig, parseModelConfigJson } from './model-config.ts';

/** Fields that say how a model of the registry runs. */
const TAKEN: readonly string[] = ['max_batch_size', 'dynamic_batching', 'instance_group', 'parameters', 'response_cache'];
/** Fields that say what the model is, which the registry's version does; and those that every configuration has which a server hands out. */
const LEFT_OUT: readonly string[] = [
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
  'optimization',
  'cc_model_filenames',
  'metric_tags',
  'model_warmup',
  'model_transaction_policy',
  'model_repository_agents',
];

/**
 * How a ModelConfig (JSON text) asks an endpoint of the registry to run. What it does not name goes back to the default, but for what it cannot say. Throws
 * `invalid` (invalid_model_config) naming the field.
 */
export function overriddenConfig(text: string, before: EndpointConfig): EndpointConfig {
  const model = parseModelConfigJson(text);
  const strange = Object.keys(model).find((field) => !TAKEN.includes(field) && !LEFT_OUT.includes(field));
  if (strange !== undefined) throw badConfig(`'${strange}' has no meaning for a model of the registry`);
  const { batching: _, instances: __, threads: ___, memoryArena: ____, cache: _____, ...kept } = before;
  const batching = batchingOf(model);
  const instances = instancesFor(model, before);
  const { settings, unknown } = parametersOf(model);
  if (unknown.length > 0)
    throw badConfig(
      `the parameter '${unknown[0]}' is not known, or its value is no whole number in quotes; known are intra_op_thread_count and enable_mem_arena`,
    );
  return {
    ...kept,
    ...(batching === undefined ? {} : { batching }),
    ...(instances === undefined ? {} : { instances }),
    ...settings,
    ...(model.response_cache?.enable === true ? { cache: before.cache ?? { maxMiB: CACHE_MIB } } : {}),
  };
}

function batchingOf({ max_batch_size: rows, dynamic_batching: dynamic }: ModelConfig): EndpointConfig['batching'] {
  if (rows !== undefined && rows < 0) throw badConfig(`'max_batch_size' must be a whole number, 0 or more, not ${rows}`);
  if (rows === 0) return { enabled: 'off' };
  if (rows === undefined && dynamic === undefined) return undefined;
  return {
    ...(rows === undefined ? {} : maxRowsOf(rows)),
    ...(dynamic === undefined ? {} : { enabled: 'on', ...dynamicBatchingOf(dynamic, rows ?? Number.POSITIVE_INFINITY) }),
  };
}

function instancesFor(model: ModelConfig, { providers = [] }: EndpointConfig): number | undefined {
  const onGpu = providers.some(({ name }) => name === 'cuda' || name === 'tensorrt');
  for (const { kind, count = 1 } of model.instance_group ?? []) {
    if (count < 0) throw badConfig(`'instance_group.count' must be a whole number, 0 or more, not ${count}`);
    // Handed out by an endpoint that runs there, it may be handed back.
    if (kind === 'KIND_GPU' && !onGpu) throw badConfig("'instance_group': KIND_GPU is set by the endpoint's providers (cuda, tensorrt), not here");
  }
  return instancesOf(model, []);
}
