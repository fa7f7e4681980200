import type { EndpointConfig, TensorSpec } from '@binnacle/contract';
import { mountedConfig, type ServedModel } from '../../serving/index.ts';
import { labelsOf } from './classification.ts';
import type { ModelConfig } from './types.ts';

/** What a batch is said to hold where the endpoint sets no limit: requests of more rows are served too. */
const ROWS_UNLIMITED = 1024;

/** Triton's name of a datatype in a model's configuration. */
export const configType = (datatype: string): string => (datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`);

const PLATFORM: Record<string, [platform: string, backend: string]> = {
  onnx: ['onnxruntime_onnx', 'onnxruntime'],
  ensemble: ['ensemble', ''],
  python: ['', 'python'],
  remote: ['', 'remote'],
};

/** `platform` and `backend` of what executes a model, by Triton's names where it has them. */
export const platformOf = (served: ServedModel): { platform: string; backend: string } => {
  const [platform, backend] = PLATFORM[served.version.pkg.runtime?.kind ?? 'onnx'] ?? ['', ''];
  return { platform, backend };
};

const queuePolicy = (policy: NonNullable<NonNullable<EndpointConfig['batching']>['defaultQueuePolicy']>): object => ({
  timeout_action: policy.timeoutAction === 'delay' ? 'DELAY' : 'REJECT',
  default_timeout_microseconds: policy.defaultTimeoutMicros ?? 0,
  allow_timeout_override: policy.allowTimeoutOverride ?? false,
  max_queue_size: policy.maxQueueSize ?? 0,
});

function dynamicBatching(batching: EndpointConfig['batching']): object {
  const { preferredRows, maxQueueDelayMicros, preserveOrdering, priorityLevels, defaultPriority, defaultQueuePolicy, priorityQueuePolicies } = batching ?? {};
  return {
    preferred_batch_size: preferredRows ?? [],
    max_queue_delay_microseconds: maxQueueDelayMicros ?? 0,
    preserve_ordering: preserveOrdering ?? false,
    priority_levels: priorityLevels ?? 0,
    default_priority_level: defaultPriority ?? 0,
    ...(defaultQueuePolicy === undefined ? {} : { default_queue_policy: queuePolicy(defaultQueuePolicy) }),
    priority_queue_policy: Object.fromEntries(Object.entries(priorityQueuePolicies ?? {}).map(([level, policy]) => [level, queuePolicy(policy)])),
  };
}

/** Triton's ModelConfig of what is loaded, as its model_config.proto writes it in JSON. */
export function modelConfigOf(served: ServedModel): ModelConfig {
  const mounted = mountedConfig(served.version.pkg);
  if (mounted !== undefined) return { name: served.name, ...mounted };
  const { name, version, config } = served;
  const { batchable, pkg } = version;
  const { platform, backend } = platformOf(served);
  const rows = batchable ? (config.batching?.maxRows ?? ROWS_UNLIMITED) : 0;
  const dims = ({ shape }: TensorSpec): number[] => (rows > 0 ? shape.slice(1) : shape);
  const instances = config.instances ?? 1;
  return {
    name,
    platform,
    backend,
    runtime: '',
    version_policy: { specific: { versions: served.versions } },
    max_batch_size: rows,
    input: version.inputs.map((input) => ({
      name: input.name,
      data_type: configType(input.datatype),
      format: 'FORMAT_NONE',
      dims: dims(input),
      is_shape_tensor: false,
      allow_ragged_batch: false,
      optional: false,
      is_non_linear_format_io: false,
    })),
    output: version.outputs.map((output) => ({
      name: output.name,
      data_type: configType(output.datatype),
      dims: dims(output),
      label_filename: labelsOf(version, output.name) === undefined ? '' : 'labels.txt',
      is_shape_tensor: false,
      is_non_linear_format_io: false,
    })),
    batch_input: [],
    batch_output: [],
    optimization: {
      priority: 'PRIORITY_DEFAULT',
      input_pinned_memory: { enable: false },
      output_pinned_memory: { enable: false },
      gather_kernel_buffer_threshold: 0,
      eager_batching: false,
    },
    ...(batchable && config.batching?.enabled !== 'off' ? { dynamic_batching: dynamicBatching(config.batching) } : {}),
    instance_group: [
      {
        name: `${name}_0`,
        kind: config.providers?.some((provider) => provider.name === 'cuda' || provider.name === 'tensorrt') === true ? 'KIND_GPU' : 'KIND_CPU',
        count: instances,
        gpus: [],
        secondary_devices: [],
        profile: [],
        passive: false,
        host_policy: '',
      },
    ],
    default_model_filename: pkg.onnxFile === null ? '' : 'model.onnx',
    cc_model_filenames: {},
    metric_tags: {},
    parameters: parametersOf(config),
    model_warmup: [],
    ...(config.cache === undefined ? {} : { response_cache: { enable: true } }),
  };
}

/** What of the configuration Triton's ONNX backend takes as parameters, under its names. */
function parametersOf({ threads, memoryArena }: EndpointConfig): Record<string, { string_value: string }> {
  return {
    ...(threads === undefined ? {} : { intra_op_thread_count: { string_value: String(threads) } }),
    ...(memoryArena === undefined ? {} : { enable_mem_arena: { string_value: memoryArena ? '1' : '0' } }),
  };
}
