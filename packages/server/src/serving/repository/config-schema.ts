/**
 * Triton's ModelConfig (model_config.proto of triton-inference-server/common): every message with its fields. A type is a scalar of protobuf, the name of
 * an enum or of a message; `[]` before it makes it repeated, `{string}` or `{uint64}` a map with such keys. Fields joined by `|` in ONE_OF exclude each other.
 */
const DATA_TYPE = 'DataType';
const STRINGS = '{string}string';

export const ENUMS: Readonly<Record<string, readonly string[]>> = {
  [DATA_TYPE]: [
    'TYPE_INVALID',
    'TYPE_BOOL',
    'TYPE_UINT8',
    'TYPE_UINT16',
    'TYPE_UINT32',
    'TYPE_UINT64',
    'TYPE_INT8',
    'TYPE_INT16',
    'TYPE_INT32',
    'TYPE_INT64',
    'TYPE_FP16',
    'TYPE_FP32',
    'TYPE_FP64',
    'TYPE_STRING',
    'TYPE_BF16',
  ],
  InstanceKind: ['KIND_AUTO', 'KIND_GPU', 'KIND_CPU', 'KIND_MODEL'],
  SecondaryDeviceKind: ['KIND_NVDLA'],
  InputFormat: ['FORMAT_NONE', 'FORMAT_NHWC', 'FORMAT_NCHW'],
  BatchInputKind: [
    'BATCH_ELEMENT_COUNT',
    'BATCH_ACCUMULATED_ELEMENT_COUNT',
    'BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO',
    'BATCH_MAX_ELEMENT_COUNT_AS_SHAPE',
    'BATCH_ITEM_SHAPE',
    'BATCH_ITEM_SHAPE_FLATTEN',
  ],
  BatchOutputKind: ['BATCH_SCATTER_WITH_INPUT_SHAPE'],
  ModelPriority: ['PRIORITY_DEFAULT', 'PRIORITY_MAX', 'PRIORITY_MIN'],
  TimeoutAction: ['REJECT', 'DELAY'],
  ControlKind: ['CONTROL_SEQUENCE_START', 'CONTROL_SEQUENCE_READY', 'CONTROL_SEQUENCE_END', 'CONTROL_SEQUENCE_CORRID'],
};

export const MESSAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ModelConfig: {
    name: 'string',
    platform: 'string',
    backend: 'string',
    runtime: 'string',
    version_policy: 'ModelVersionPolicy',
    max_batch_size: 'int32',
    input: '[]ModelInput',
    output: '[]ModelOutput',
    batch_input: '[]BatchInput',
    batch_output: '[]BatchOutput',
    optimization: 'ModelOptimizationPolicy',
    dynamic_batching: 'ModelDynamicBatching',
    sequence_batching: 'ModelSequenceBatching',
    ensemble_scheduling: 'ModelEnsembling',
    instance_group: '[]ModelInstanceGroup',
    default_model_filename: 'string',
    cc_model_filenames: STRINGS,
    metric_tags: STRINGS,
    parameters: '{string}ModelParameter',
    model_warmup: '[]ModelWarmup',
    model_operations: 'ModelOperations',
    model_transaction_policy: 'ModelTransactionPolicy',
    model_repository_agents: 'ModelRepositoryAgents',
    response_cache: 'ModelResponseCache',
    model_metrics: 'ModelMetrics',
  },
  ModelRateLimiter: { resources: '[]RateLimiterResource', priority: 'uint32' },
  RateLimiterResource: { name: 'string', global: 'bool', count: 'uint32' },
  ModelInstanceGroup: {
    name: 'string',
    kind: 'InstanceKind',
    count: 'int32',
    rate_limiter: 'ModelRateLimiter',
    gpus: '[]int32',
    secondary_devices: '[]SecondaryDevice',
    profile: '[]string',
    passive: 'bool',
    host_policy: 'string',
  },
  SecondaryDevice: { kind: 'SecondaryDeviceKind', device_id: 'int64' },
  ModelTensorReshape: { shape: '[]int64' },
  ModelInput: {
    name: 'string',
    data_type: DATA_TYPE,
    format: 'InputFormat',
    dims: '[]int64',
    reshape: 'ModelTensorReshape',
    is_shape_tensor: 'bool',
    allow_ragged_batch: 'bool',
    optional: 'bool',
    is_non_linear_format_io: 'bool',
  },
  ModelOutput: {
    name: 'string',
    data_type: DATA_TYPE,
    dims: '[]int64',
    reshape: 'ModelTensorReshape',
    label_filename: 'string',
    is_shape_tensor: 'bool',
    is_non_linear_format_io: 'bool',
  },
  BatchInput: { kind: 'BatchInputKind', target_name: '[]string', data_type: DATA_TYPE, source_input: '[]string' },
  BatchOutput: { target_name: '[]string', kind: 'BatchOutputKind', source_input: '[]string' },
  ModelVersionPolicy: { latest: 'VersionLatest', all: 'VersionAll', specific: 'VersionSpecific' },
  VersionLatest: { num_versions: 'uint32' },
  VersionAll: {},
  VersionSpecific: { versions: '[]int64' },
  ModelOptimizationPolicy: {
    graph: 'OptimizationGraph',
    priority: 'ModelPriority',
    cuda: 'OptimizationCuda',
    execution_accelerators: 'ExecutionAccelerators',
    input_pinned_memory: 'PinnedMemoryBuffer',
    output_pinned_memory: 'PinnedMemoryBuffer',
    gather_kernel_buffer_threshold: 'uint32',
    eager_batching: 'bool',
  },
  OptimizationGraph: { level: 'int32' },
  OptimizationCuda: { graphs: 'bool', busy_wait_events: 'bool', graph_spec: '[]GraphSpec', output_copy_stream: 'bool' },
  GraphSpec: { batch_size: 'int32', input: '{string}GraphShape', graph_lower_bound: 'GraphLowerBound' },
  GraphShape: { dim: '[]int64' },
  GraphLowerBound: { batch_size: 'int32', input: '{string}GraphShape' },
  ExecutionAccelerators: { gpu_execution_accelerator: '[]Accelerator', cpu_execution_accelerator: '[]Accelerator' },
  Accelerator: { name: 'string', parameters: STRINGS },
  PinnedMemoryBuffer: { enable: 'bool' },
  ModelQueuePolicy: { timeout_action: 'TimeoutAction', default_timeout_microseconds: 'uint64', allow_timeout_override: 'bool', max_queue_size: 'uint32' },
  ModelDynamicBatching: {
    preferred_batch_size: '[]int32',
    max_queue_delay_microseconds: 'uint64',
    preserve_ordering: 'bool',
    priority_levels: 'uint64',
    default_priority_level: 'uint64',
    default_queue_policy: 'ModelQueuePolicy',
    priority_queue_policy: '{uint64}ModelQueuePolicy',
  },
  ModelSequenceBatching: {
    direct: 'StrategyDirect',
    oldest: 'StrategyOldest',
    max_sequence_idle_microseconds: 'uint64',
    control_input: '[]SequenceControlInput',
    state: '[]SequenceState',
    iterative_sequence: 'bool',
  },
  SequenceControl: { kind: 'ControlKind', int32_false_true: '[]int32', fp32_false_true: '[]float', bool_false_true: '[]bool', data_type: DATA_TYPE },
  SequenceControlInput: { name: 'string', control: '[]SequenceControl' },
  SequenceInitialState: { data_type: DATA_TYPE, dims: '[]int64', zero_data: 'bool', data_file: 'string', name: 'string' },
  SequenceState: {
    input_name: 'string',
    output_name: 'string',
    data_type: DATA_TYPE,
    dims: '[]int64',
    initial_state: '[]SequenceInitialState',
    use_same_buffer_for_input_output: 'bool',
    use_growable_memory: 'bool',
  },
  StrategyDirect: { max_queue_delay_microseconds: 'uint64', minimum_slot_utilization: 'float' },
  StrategyOldest: { max_candidate_sequences: 'int32', preferred_batch_size: '[]int32', max_queue_delay_microseconds: 'uint64', preserve_ordering: 'bool' },
  ModelEnsembling: { step: '[]EnsemblingStep', max_inflight_requests: 'uint32' },
  EnsemblingStep: { model_name: 'string', model_version: 'int64', input_map: STRINGS, output_map: STRINGS, model_namespace: 'string' },
  ModelParameter: { string_value: 'string' },
  ModelWarmup: { name: 'string', batch_size: 'uint32', inputs: '{string}WarmupInput', count: 'uint32' },
  WarmupInput: { data_type: DATA_TYPE, dims: '[]int64', zero_data: 'bool', random_data: 'bool', input_data_file: 'string' },
  ModelOperations: { op_library_filename: '[]string' },
  ModelTransactionPolicy: { decoupled: 'bool' },
  ModelRepositoryAgents: { agents: '[]RepositoryAgent' },
  RepositoryAgent: { name: 'string', parameters: STRINGS },
  ModelResponseCache: { enable: 'bool' },
  ModelMetrics: { metric_control: '[]MetricControl' },
  MetricControl: { metric_identifier: 'MetricIdentifier', histogram_options: 'HistogramOptions' },
  MetricIdentifier: { family: 'string' },
  HistogramOptions: { buckets: '[]double' },
};

export const ONE_OF: Readonly<Record<string, readonly string[]>> = {
  ModelConfig: ['dynamic_batching', 'sequence_batching', 'ensemble_scheduling'],
  ModelVersionPolicy: ['latest', 'all', 'specific'],
  ModelSequenceBatching: ['direct', 'oldest'],
  SequenceInitialState: ['zero_data', 'data_file'],
  WarmupInput: ['zero_data', 'random_data', 'input_data_file'],
};

export interface FieldType {
  type: string;
  repeated: boolean;
  /** Type of the keys of a map. */
  key: string | undefined;
}

const types = new Map<string, FieldType>();

/** What a field of the schema is written as, taken apart. */
export function fieldType(written: string): FieldType {
  let found = types.get(written);
  if (found === undefined) {
    const match = /^(\[\])?(?:\{(\w+)\})?(\w+)$/.exec(written);
    found = { type: match?.[3] ?? '', repeated: match?.[1] !== undefined, key: match?.[2] };
    types.set(written, found);
  }
  return found;
}

/** An enum's or message's fields, never those that an object inherits. */
export const fieldOf = (message: string, name: string): FieldType | undefined => {
  const fields = MESSAGES[message] ?? {};
  return Object.hasOwn(fields, name) ? fieldType(fields[name] as string) : undefined;
};
