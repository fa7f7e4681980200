import { type BinnacleError, invalid } from '../../kernel/index.ts';
import { ConfigJsonError, configFromJson, withDefaults } from './config-json.ts';
import { configFromText } from './config-text.ts';
import { TextFormatError } from './text-tokens.ts';

/** `dims` have no batch dimension when `max_batch_size` is above 0; -1 is a free one. */
export interface ConfigTensor {
  name?: string;
  data_type?: string;
  dims?: number[];
  reshape?: { shape?: number[] };
}
export interface ConfigInput extends ConfigTensor {
  format?: string;
  optional?: boolean;
  allow_ragged_batch?: boolean;
  is_shape_tensor?: boolean;
}
export interface ConfigOutput extends ConfigTensor {
  label_filename?: string;
  is_shape_tensor?: boolean;
}
export interface ConfigQueuePolicy {
  timeout_action?: 'REJECT' | 'DELAY';
  default_timeout_microseconds?: number;
  allow_timeout_override?: boolean;
  max_queue_size?: number;
}
export interface ConfigDynamicBatching {
  preferred_batch_size?: number[];
  max_queue_delay_microseconds?: number;
  preserve_ordering?: boolean;
  priority_levels?: number;
  default_priority_level?: number;
  default_queue_policy?: ConfigQueuePolicy;
  priority_queue_policy?: Record<string, ConfigQueuePolicy>;
}
export interface ConfigControl {
  kind?: 'CONTROL_SEQUENCE_START' | 'CONTROL_SEQUENCE_READY' | 'CONTROL_SEQUENCE_END' | 'CONTROL_SEQUENCE_CORRID';
  int32_false_true?: number[];
  fp32_false_true?: number[];
  bool_false_true?: boolean[];
  data_type?: string;
}
export interface ConfigState {
  input_name?: string;
  output_name?: string;
  data_type?: string;
  dims?: number[];
  initial_state?: { name?: string; data_type?: string; dims?: number[]; zero_data?: boolean; data_file?: string }[];
}
export interface ConfigSequenceBatching {
  direct?: { max_queue_delay_microseconds?: number; minimum_slot_utilization?: number };
  oldest?: { max_candidate_sequences?: number; preferred_batch_size?: number[]; max_queue_delay_microseconds?: number; preserve_ordering?: boolean };
  max_sequence_idle_microseconds?: number;
  control_input?: { name?: string; control?: ConfigControl[] }[];
  state?: ConfigState[];
  iterative_sequence?: boolean;
}
export interface ConfigStep {
  model_name?: string;
  model_version?: number;
  input_map?: Record<string, string>;
  output_map?: Record<string, string>;
}
export interface ConfigWarmup {
  name?: string;
  batch_size?: number;
  inputs?: Record<string, { data_type?: string; dims?: number[]; zero_data?: boolean; random_data?: boolean; input_data_file?: string }>;
  count?: number;
}
export interface ConfigAccelerator {
  name?: string;
  parameters?: Record<string, string>;
}

/** Triton's ModelConfig under its own names, as much of it as something here looks at; what is absent was not written. */
export interface ModelConfig {
  name?: string;
  platform?: string;
  backend?: string;
  version_policy?: { latest?: { num_versions?: number }; all?: object; specific?: { versions?: number[] } };
  max_batch_size?: number;
  input?: ConfigInput[];
  output?: ConfigOutput[];
  batch_input?: object[];
  batch_output?: object[];
  optimization?: {
    graph?: { level?: number };
    execution_accelerators?: { gpu_execution_accelerator?: ConfigAccelerator[]; cpu_execution_accelerator?: ConfigAccelerator[] };
  };
  dynamic_batching?: ConfigDynamicBatching;
  sequence_batching?: ConfigSequenceBatching;
  ensemble_scheduling?: { step?: ConfigStep[]; max_inflight_requests?: number };
  instance_group?: { name?: string; kind?: string; count?: number; gpus?: number[]; rate_limiter?: object; secondary_devices?: object[]; passive?: boolean }[];
  default_model_filename?: string;
  cc_model_filenames?: Record<string, string>;
  metric_tags?: Record<string, string>;
  parameters?: Record<string, { string_value?: string }>;
  model_warmup?: ConfigWarmup[];
  model_operations?: { op_library_filename?: string[] };
  model_transaction_policy?: { decoupled?: boolean };
  model_repository_agents?: { agents?: object[] };
  response_cache?: { enable?: boolean };
}

/** A configuration is a page of text; a megabyte is none. */
export const MAX_CONFIG_BYTES = 1024 * 1024;

export const badConfig = (text: string, cause?: unknown): BinnacleError => invalid('invalid_model_config', text, { cause });

/** A config.pbtxt. Throws `invalid` (invalid_model_config) with file, line and column; fields that ModelConfig does not have are refused by name. */
export function parseModelConfig(text: string, file = 'config.pbtxt'): ModelConfig {
  if (text.length > MAX_CONFIG_BYTES) throw badConfig(`${file} is longer than ${MAX_CONFIG_BYTES} bytes`);
  try {
    return configFromText(text) as ModelConfig;
  } catch (error) {
    if (error instanceof TextFormatError) throw badConfig(`${file}:${error.message}`, error);
    throw error;
  }
}

/** A configuration in JSON text, as a load by the repository extension brings it. Throws `invalid` (invalid_model_config). */
export function parseModelConfigJson(text: string): ModelConfig {
  if (text.length > MAX_CONFIG_BYTES) throw badConfig(`the configuration is longer than ${MAX_CONFIG_BYTES} bytes`);
  try {
    return configFromJson(JSON.parse(text)) as ModelConfig;
  } catch (error) {
    if (error instanceof ConfigJsonError) throw badConfig(error.message, error);
    throw badConfig(`the configuration is no JSON: ${(error as Error).message}`, error);
  }
}

/** As Triton's servers print it: every field that is not a message, with its default. */
export const printedModelConfig = (config: ModelConfig): Record<string, unknown> => withDefaults(config as Record<string, unknown>);
